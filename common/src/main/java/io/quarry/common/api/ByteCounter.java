package io.quarry.common.api;

import java.io.OutputStream;

/** Counts the bytes written to it, and keeps none of them. */
public final class ByteCounter extends OutputStream {
  private long bytes;

  public long bytes() {
    return bytes;
  }

  @Override
  public void write(int one) {
    bytes++;
  }

  @Override
  public void write(byte[] array, int offset, int length) {
    bytes += length;
  }
}
