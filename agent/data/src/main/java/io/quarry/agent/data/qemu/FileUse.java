package io.quarry.agent.data.qemu;

import io.quarry.agent.data.os.FileFailure;
import io.quarry.agent.data.os.NativeFile;
import java.io.IOException;

/**
 * How QEMU uses a file, as the locks tell that each QEMU of this kernel holds on the file. A look
 * takes no lock. A process that takes no locks of QEMU's is not seen.
 */
public enum FileUse {
  NONE,
  READER,
  WRITER,
  /** The filesystem has no such locks. */
  CANNOT_TELL;

  /**
   * A byte for each permission that a QEMU uses, then one for each that a QEMU denies to others.
   */
  private static final long FIRST_BYTE = 100;

  private static final long BYTES = 104;

  private static final long WRITE_BYTE = 101;

  /** One system call when no QEMU uses the file. */
  public static FileUse of(NativeFile file) throws IOException {
    try {
      if (!file.isLockedByOthers(FIRST_BYTE, BYTES)) {
        return NONE;
      }
      return file.isLockedByOthers(WRITE_BYTE, 1) ? WRITER : READER;
    } catch (FileFailure e) {
      if (e.kind() == FileFailure.Kind.OTHER) {
        return CANNOT_TELL;
      }
      throw e;
    }
  }
}
