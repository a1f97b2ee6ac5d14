package io.quarry.agent.storage.block;

import io.quarry.agent.storage.block.Cell.Area;
import io.quarry.coordinator.log.LogDamagedException;
import io.quarry.coordinator.log.SlotStore.Content;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Arrays;
import java.util.zip.CRC32C;
import java.util.zip.Deflater;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.InflaterInputStream;
import java.util.zip.ZipException;

/** Compressed checkpoints in the areas of slots. */
final class CheckpointAreas {
  private static final int CHUNK = 256 << 10;

  /** A write got no answer: its bytes may come later, over those of another checkpoint. */
  static final class SpentException extends IOException {
    private static final long serialVersionUID = 1L;

    SpentException(IOException cause) {
      super(cause.getMessage(), cause);
    }
  }

  private final BlockDevice device;
  private final Layout layout;

  CheckpointAreas(BlockDevice device, Layout layout) {
    this.device = device;
    this.layout = layout;
  }

  /**
   * Writes a checkpoint durably, and reads it back.
   *
   * @param hash of the last record that the checkpoint covers
   */
  Area write(int slot, int area, long sequence, String hash, Content content) throws IOException {
    Output output = new Output(layout.area(slot, area));
    Deflater fast = new Deflater(Deflater.BEST_SPEED);
    try (DeflaterOutputStream out = new DeflaterOutputStream(output, fast, CHUNK)) {
      content.writeTo(out);
    } finally {
      fast.end();
    }
    device.force();
    Area written = new Area(sequence, area, output.bytes, (int) output.checksum.getValue(), hash);
    readBack(slot, written);
    return written;
  }

  private void readBack(int slot, Area area) throws IOException {
    CRC32C checksum = new CRC32C();
    byte[] chunk = new byte[CHUNK];
    try (InputStream in = new Input(layout.area(slot, area.area()), area.bytes())) {
      for (int n = in.read(chunk, 0, CHUNK); n > 0; n = in.read(chunk, 0, CHUNK)) {
        checksum.update(chunk, 0, n);
      }
    }
    if ((int) checksum.getValue() != area.checksum()) {
      throw new IOException(
          device.name() + ": the checkpoint " + area.sequence() + " reads back otherwise");
    }
  }

  /** The content of a checkpoint. A reader finds damage by the content's hash. */
  InputStream open(int slot, Area area, String name) {
    InputStream bytes = new Input(layout.area(slot, area.area()), area.bytes());
    return new Inflated(new InflaterInputStream(new BufferedInputStream(bytes, CHUNK)), name);
  }

  /** Compressed bytes that cannot be read are damage, and no failure of the device. */
  private static final class Inflated extends FilterInputStream {
    private final String name;

    Inflated(InputStream in, String name) {
      super(in);
      this.name = name;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      try {
        return super.read(bytes, offset, length);
      } catch (ZipException | EOFException e) {
        IOException damage = new LogDamagedException(name, String.valueOf(e.getMessage()));
        damage.initCause(e);
        throw damage;
      }
    }
  }

  private final class Output extends OutputStream {
    private final CRC32C checksum = new CRC32C();
    private final byte[] chunk = new byte[CHUNK];
    private final long begin;
    private int filled;
    private long bytes;
    private long written;

    Output(long begin) {
      this.begin = begin;
    }

    @Override
    public void write(int b) throws IOException {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] from, int offset, int length) throws IOException {
      checksum.update(from, offset, length);
      bytes += length;
      for (int done = 0; done < length; ) {
        int part = Math.min(length - done, CHUNK - filled);
        System.arraycopy(from, offset + done, chunk, filled, part);
        filled += part;
        done += part;
        if (filled == CHUNK) {
          writeOut();
        }
      }
    }

    private void writeOut() throws IOException {
      int length = Math.toIntExact(Layout.padded(filled));
      if (written + length > layout.ringBytes()) {
        throw new IOException(
            device.name() + ": the checkpoint is larger than " + layout.ringBytes() + " bytes");
      }
      Arrays.fill(chunk, filled, length, (byte) 0);
      try {
        device.writeUnforced(begin + written, Arrays.copyOf(chunk, length));
      } catch (IOException e) {
        throw new SpentException(e);
      }
      written += length;
      filled = 0;
    }

    @Override
    public void close() throws IOException {
      if (filled > 0) {
        writeOut();
      }
    }
  }

  private final class Input extends InputStream {
    private final long begin;
    private final long length;
    private byte[] chunk = new byte[0];
    private int used;
    private long done;

    Input(long begin, long length) {
      this.begin = begin;
      this.length = length;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] into, int offset, int most) throws IOException {
      if (done == length) {
        return -1;
      }
      if (used == chunk.length) {
        long left = Math.min(CHUNK, Layout.padded(length - done));
        chunk = new byte[Math.toIntExact(left)];
        device.read(begin + done, chunk);
        used = 0;
      }
      int part = (int) Math.min(Math.min(most, chunk.length - used), length - done);
      System.arraycopy(chunk, used, into, offset, part);
      used += part;
      done += part;
      return part;
    }
  }
}
