package io.quarry.agent.data;

import java.io.IOException;

/** A copy ended early because it was told to stop. The copy's last durable window remains valid. */
public final class CopyStopped extends IOException {
  CopyStopped(String message) {
    super(message);
  }
}
