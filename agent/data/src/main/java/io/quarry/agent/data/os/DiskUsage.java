package io.quarry.agent.data.os;

import java.io.IOException;
import java.nio.file.Path;

/** The space that a caller's file takes on its storage. */
public final class DiskUsage {
  private DiskUsage() {}

  /** Bytes allocated to the file, from its metadata alone; 0 when there is no such file. */
  public static long allocated(Path file) throws IOException {
    try {
      return FileStatus.of(
              (flags, mask, into) -> {
                int code = Libc.statx(Libc.AT_FDCWD, file.toString(), flags, mask, into);
                if (code < 0) {
                  throw FileFailure.of(-code, file, "stat");
                }
                return code;
              },
              0)
          .allocatedBytes();
    } catch (FileFailure.NotFound e) {
      return 0;
    }
  }
}
