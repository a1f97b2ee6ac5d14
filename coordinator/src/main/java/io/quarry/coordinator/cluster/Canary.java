package io.quarry.coordinator.cluster;

/**
 * A mark that the SDM of a repository writes to the storage, again and again, and then publishes in
 * ZooKeeper. A storage without the newest mark is not the one that the SDM writes to: a copy of the
 * storage has an old mark.
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
