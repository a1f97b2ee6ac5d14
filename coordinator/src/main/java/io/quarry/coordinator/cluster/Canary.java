package io.quarry.coordinator.cluster;

/**
 * What the SDM of a repository writes on the storage, again and again, and shows in ZooKeeper
 * afterwards: a storage without it is not the one that the SDM writes to. A copy of the storage has
 * an old one.
 *
 * @param cluster the SDM's cluster; see {@link ClusterIdentity}
 * @param writer host and incarnation of the SDM
 * @param term of the SDM
 * @param beat counts within the term
 * @param nonce fresh for each beat
 */
public record Canary(String cluster, String writer, long term, long beat, String nonce) {
  public boolean isNewerThan(Canary other) {
    return term > other.term || (term == other.term && beat > other.beat);
  }
}
