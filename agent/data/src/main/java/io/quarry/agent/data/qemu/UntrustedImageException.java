package io.quarry.agent.data.qemu;

/** A file from outside that the agent refuses. */
public final class UntrustedImageException extends Exception {
  private static final long serialVersionUID = 1L;
  private final String remedy;

  /**
   * @param why continues a sentence that begins with the name of the file
   */
  UntrustedImageException(String why, String remedy) {
    super(why);
    this.remedy = remedy;
  }

  /** For a file whose conversion would leave the unusable part out. */
  static UntrustedImageException convert(String why) {
    return new UntrustedImageException(
        why, "Make a plain file of it with qemu-img convert -O qcow2 FILE NEW, and upload that.");
  }

  public String remedy() {
    return remedy;
  }
}
