package io.quarry.agent.data.qemu;

/** The findings of {@code qemu-img check}. Leaked clusters waste space and do no other harm. */
public record ImageCheck(long leakedClusters, long corruptions) {
  public static final ImageCheck CLEAN = new ImageCheck(0, 0);

  public boolean isSound() {
    return corruptions == 0;
  }

  public boolean isClean() {
    return isSound() && leakedClusters == 0;
  }
}
