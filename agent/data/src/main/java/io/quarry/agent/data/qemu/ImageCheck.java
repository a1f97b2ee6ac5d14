package io.quarry.agent.data.qemu;

/** What {@code qemu-img check} found. Clusters that leak waste space and harm nothing else. */
public record ImageCheck(long leakedClusters, long corruptions) {
  public static final ImageCheck CLEAN = new ImageCheck(0, 0);

  public boolean isSound() {
    return corruptions == 0;
  }

  public boolean isClean() {
    return isSound() && leakedClusters == 0;
  }
}
