package io.quarry.coordinator.sim;

import java.io.IOException;

/** The simulated storage is full; Java has no exception of its own for it. */
public final class SimFull extends IOException {
  private static final long serialVersionUID = 1L;

  SimFull() {
    super("No space left on device");
  }
}
