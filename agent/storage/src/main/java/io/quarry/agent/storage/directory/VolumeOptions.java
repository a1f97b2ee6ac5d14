package io.quarry.agent.storage.directory;

/**
 * What the parameters of a connection say of the files of volumes.
 *
 * @param owner the user that the files belong to; {@link #ANY} for that of the agent
 * @param group that the files belong to; {@link #ANY} for that of their makers
 * @param immutable whether frozen files are immutable for root, too
 * @param agreed whether all hosts use the user and the group that the genesis record says
 */
public record VolumeOptions(int owner, int group, boolean immutable, boolean agreed) {
  public static final int ANY = -1;

  /** Each host chooses its group, by the names that it knows. */
  static VolumeOptions ofHost(int group, boolean immutable) {
    return new VolumeOptions(ANY, group, immutable, false);
  }

  /** The first host chooses for all. */
  public static VolumeOptions ofRepository(int owner, int group) {
    return new VolumeOptions(owner, group, false, true);
  }
}
