package io.quarry.agent.data.os;

import java.io.IOException;
import java.io.OutputStream;

/** Writes a file from its beginning on, without a buffer of its own. */
final class FileOutput extends OutputStream {
  private final NativeFile file;
  private long position;

  FileOutput(NativeFile file) {
    this.file = file;
  }

  @Override
  public void write(int one) throws IOException {
    write(new byte[] {(byte) one}, 0, 1);
  }

  @Override
  public void write(byte[] from, int offset, int length) throws IOException {
    file.write(position, from, offset, length);
    position += length;
  }
}
