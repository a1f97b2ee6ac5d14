package io.quarry.coordinator.cluster;

import io.quarry.coordinator.cluster.ZnodeStore.Birth;

/**
 * A holder's knowledge of its claim's znodes.
 *
 * @param version of the claim's znode
 * @param birth of the queue when the claim was made: another one means that the queue was rebuilt
 * @param epoch of the connection in which this was known to be true
 */
record HeldClaim(QueuedFix fix, ClaimRecord record, int version, Birth birth, long epoch) {
  private static final long NEVER = -1;

  HeldClaim seen(ClaimRecord now, int nowVersion, long nowEpoch) {
    return new HeldClaim(fix, now, nowVersion, birth, nowEpoch);
  }

  /** The same claim, to be checked before the holder relies on it again. */
  HeldClaim doubtful() {
    return new HeldClaim(fix, record, version, birth, NEVER);
  }

  String name() {
    return fix.name();
  }
}
