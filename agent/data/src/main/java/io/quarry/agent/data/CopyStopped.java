package io.quarry.agent.data;

import java.io.IOException;

/** A copy ended early because it was told to. What its last durable window says is kept. */
public final class CopyStopped extends IOException {
  CopyStopped(String message) {
    super(message);
  }
}
