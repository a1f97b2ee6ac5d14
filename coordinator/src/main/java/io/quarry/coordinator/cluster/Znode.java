package io.quarry.coordinator.cluster;

import org.apache.zookeeper.data.Stat;

/**
 * A znode as read.
 *
 * @param createdAt transaction that created it (czxid): tells a re-created node from the old one
 * @param owner session of an ephemeral node, 0 for a persistent one
 */
// Content is never changed, and states are compared by their numbers.
@SuppressWarnings("ArrayRecordComponent")
record Znode(byte[] content, int version, long createdAt, long owner, long modifiedMillis) {
  static Znode of(byte[] content, Stat stat) {
    return new Znode(
        content, stat.getVersion(), stat.getCzxid(), stat.getEphemeralOwner(), stat.getMtime());
  }

  boolean sameStateAs(Znode other) {
    return createdAt == other.createdAt && version == other.version && owner == other.owner;
  }
}
