package io.quarry.agent.cli;

import java.time.Duration;

/** A clock that advances when a command pauses. */
final class FakeTime implements Shell.Time {
  private long nanos;

  @Override
  public long nanos() {
    return nanos;
  }

  @Override
  public void pause(Duration duration) {
    nanos += duration.toNanos();
  }
}
