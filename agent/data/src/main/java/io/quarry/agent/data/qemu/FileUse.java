package io.quarry.agent.data.qemu;

import io.quarry.agent.data.os.FileFailure;
import io.quarry.agent.data.os.NativeFile;
import java.io.IOException;

/**
 * How QEMU uses a file. Each QEMU on this kernel shows that by locks on the file. A look takes no
 * lock. A process that does not take QEMU's locks is not seen.
 */
public enum FileUse {
  NONE,
  READER,
  WRITER,
  /** The filesystem has no such locks. */
  CANNOT_TELL;

  /**
   * QEMU locks one byte for each permission that it uses, then one for each that it denies to
   * others.
   */
  private static final long FIRST_BYTE = 100;

  private static final long BYTES = 104;

  private static final long WRITE_BYTE = 101;

  /** Takes one system call when no QEMU uses the file. */
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
