package io.quarry.agent.data.qemu;

/** A file from outside that is not taken. */
public final class UntrustedImageException extends Exception {
  private static final long serialVersionUID = 1L;
  private final String remedy;

  /**
   * @param why goes on from the name of the file
   */
  UntrustedImageException(String why, String remedy) {
    super(why);
    this.remedy = remedy;
  }

  /** For what a conversion leaves out. */
  static UntrustedImageException convert(String why) {
    return new UntrustedImageException(
        why, "Make a plain file of it with qemu-img convert -O qcow2 FILE NEW, and upload that.");
  }

  public String remedy() {
    return remedy;
  }
}
