package io.quarry.agent.storage.block;

import java.io.IOException;
import java.util.concurrent.ThreadLocalRandom;

/** Hosts that compete for the lead wait for times of their own, longer with each turn. */
final class RandomPause implements Leader.Pause {
  private static final int MILLIS_PER_TURN = 4;
  private static final int TURNS_MAX = 50;

  @Override
  public void take(int turn) throws IOException {
    int most = MILLIS_PER_TURN * Math.min(turn, TURNS_MAX);
    try {
      Thread.sleep(ThreadLocalRandom.current().nextInt(1, most));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while another host leads", e);
    }
  }
}
