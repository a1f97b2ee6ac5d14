package io.quarry.agent.data.os;

import java.io.IOException;
import java.io.InputStream;

/** Reads a file from its beginning to its end. */
final class FileInput extends InputStream {
  private static final int CHUNK_BYTES = 256 << 10;

  private final NativeFile file;
  private long position;

  FileInput(NativeFile file) {
    this.file = file;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : Byte.toUnsignedInt(one[0]);
  }

  @Override
  public int read(byte[] into, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    byte[] found = file.bytes(position, Math.min(length, CHUNK_BYTES));
    System.arraycopy(found, 0, into, offset, found.length);
    position += found.length;
    return found.length == 0 ? -1 : found.length;
  }

  @Override
  public void close() {
    file.close();
  }
}
