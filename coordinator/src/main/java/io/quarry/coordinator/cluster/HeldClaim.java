package io.quarry.coordinator.cluster;

import io.quarry.coordinator.cluster.ZnodeStore.Birth;

/**
 * What a claim's holder knows of its znodes.
 *
 * @param version of the claim's znode
 * @param birth of the queue when the claim was made: another one means the queue was rebuilt
 * @param epoch of the connection in which this was known to be true
 */
record HeldClaim(QueuedFix fix, ClaimRecord record, int version, Birth birth, long epoch) {
  private static final long NEVER = -1;

  HeldClaim seen(ClaimRecord now, int nowVersion, long nowEpoch) {
    return new HeldClaim(fix, now, nowVersion, birth, nowEpoch);
  }

  /** To be looked at again before it is relied on. */
  HeldClaim doubtful() {
    return new HeldClaim(fix, record, version, birth, NEVER);
  }

  String name() {
    return fix.name();
  }
}
