package io.quarry.coordinator.log;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.coordinator.plan.Reply;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * The log as the disk saw it grow. The record that took the next number is the next record,
 * whichever SDM wrote it. A record under an earlier number counts for nothing. Judges the claims of
 * SDMs and readers.
 */
public final class TrueLog {
  private final List<LogState> states = new ArrayList<>(List.of(LogState.EMPTY));

  /** A name was taken. */
  public void linked(String name, byte[] content) {
    LogState last = latest();
    if (Names.recordNumber(name) == last.sequence() + 1) {
      try {
        states.add(Codec.follow(last, content, name));
      } catch (IOException e) {
        throw new AssertionError(e);
      }
    }
  }

  /** The power was cut: this state is left. */
  public void powerCut(LogState left) {
    checkSeen(left);
    states.subList(Math.toIntExact(left.sequence()) + 1, states.size()).clear();
  }

  public LogState latest() {
    return states.getLast();
  }

  /** A reader never sees anything but a prefix of the log. */
  void checkSeen(LogState seen) {
    assertThat(seen.sequence()).isLessThanOrEqualTo(latest().sequence());
    assertThat(seen.position()).isEqualTo(states.get((int) seen.sequence()).position());
  }

  /** In the end a fresh reader sees the whole log. */
  public void checkWhole(LogState seen) {
    assertThat(Fingerprint.of(seen)).isEqualTo(Fingerprint.of(latest()));
  }

  public void checkAcknowledged(String requestId, Reply reply) {
    assertThat(latest().repository().requests().find(requestId))
        .as("acknowledged %s", requestId)
        .isEqualTo(reply);
  }

  void checkNotCommitted(String requestId, Reply reply) {
    assertThat(latest().repository().requests().find(requestId))
        .as("reported as not committed: %s", requestId)
        .isNotEqualTo(reply);
  }
}
