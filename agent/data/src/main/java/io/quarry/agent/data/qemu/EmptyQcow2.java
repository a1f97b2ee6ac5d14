package io.quarry.agent.data.qemu;

import io.quarry.agent.data.os.NativeFile;
import io.quarry.common.model.Limits;
import io.quarry.common.model.VolumeFormat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * Writes qcow2 files without data: version 3, clusters of 64 KiB, 16-bit reference counts. The
 * result equals that of {@code qemu-img create -f qcow2 -o compat=1.1,lazy_refcounts=off}.
 *
 * <p>The class exists for speed. Measured on ext4, a file takes 0.8 ms with the file forced to
 * disk. {@code qemu-img create} takes 8 ms alone and 18 ms as a child of the agent, and forces no
 * data. Creating an overlay is the whole data work of a snapshot.
 *
 * <p>Layout: header, reference count table, reference count block, level 1 table. All but a few
 * bytes are zeros and stay holes.
 */
public final class EmptyQcow2 {
  /** How each qcow2 file begins. */
  static final int MAGIC = 0x514649fb;

  private static final int VERSION = 3;
  private static final int CLUSTER_BITS = 16;
  private static final int CLUSTER_BYTES = 1 << CLUSTER_BITS;
  private static final int REFCOUNT_ORDER = 4;
  private static final int HEADER_BYTES = 112;
  private static final int EXTENSION_BACKING_FORMAT = 0xe2792aca;
  private static final int EXTENSION_END = 0;

  /** One level 2 table is a cluster of 8-byte entries, one entry for each cluster of data. */
  private static final long BYTES_PER_L1_ENTRY = (long) CLUSTER_BYTES / Long.BYTES * CLUSTER_BYTES;

  /** Tables that grow are written anew elsewhere. */
  private static final long TABLE_CLUSTERS_SPARE = 32;

  private static final long REFCOUNT_TABLE_CLUSTER = 1;
  private static final long REFCOUNT_BLOCK_CLUSTER = 2;
  private static final long L1_TABLE_CLUSTER = 3;

  /** The format's own limit. */
  private static final int BACKING_NAME_BYTES_MAX = 1023;

  private EmptyQcow2() {}

  /**
   * Writes the content of a new file and makes the content durable. The caller forces the folder's
   * entry.
   *
   * @param size the virtual size in bytes, a multiple of 512
   */
  public static void write(NativeFile out, long size, Optional<Backing> backing)
      throws IOException {
    if (size <= 0 || size % Limits.SECTOR_BYTES != 0 || size > Limits.IMAGE_BYTES_MAX) {
      throw new IOException("a qcow2 image of " + size + " bytes is not possible");
    }
    long l1Entries = l1Entries(size);
    long clusters = clusters(size);
    byte[] header = header(size, l1Entries, backing);
    out.write(0, header);
    ByteBuffer table = ByteBuffer.allocate(Long.BYTES);
    table.putLong(REFCOUNT_BLOCK_CLUSTER * CLUSTER_BYTES);
    out.write(REFCOUNT_TABLE_CLUSTER * CLUSTER_BYTES, table.array());
    ByteBuffer block = ByteBuffer.allocate(Math.toIntExact(clusters) * Short.BYTES);
    for (long i = 0; i < clusters; i++) {
      block.putShort((short) 1);
    }
    out.write(REFCOUNT_BLOCK_CLUSTER * CLUSTER_BYTES, block.array());
    // The level 1 table is all zeros, so writing its last byte is enough.
    out.write(clusters * CLUSTER_BYTES - 1, new byte[1]);
    out.sync();
  }

  /** The bytes of a file without data. */
  public static long bytes(long size) {
    return clusters(size) * CLUSTER_BYTES;
  }

  /** The bytes of a file whose image is wholly written, with room for tables that moved. */
  public static long bytesMax(long size) {
    long data = Math.ceilDiv(size, CLUSTER_BYTES);
    long tables = Math.ceilDiv(data * (Long.BYTES + Short.BYTES), CLUSTER_BYTES);
    return (data + 2 * tables + TABLE_CLUSTERS_SPARE) * CLUSTER_BYTES + bytes(size);
  }

  private static long clusters(long size) {
    return L1_TABLE_CLUSTER + Math.ceilDiv(l1Entries(size) * Long.BYTES, CLUSTER_BYTES);
  }

  private static long l1Entries(long size) {
    return Math.ceilDiv(size, BYTES_PER_L1_ENTRY);
  }

  private static byte[] header(long size, long l1Entries, Optional<Backing> backing)
      throws IOException {
    byte[] name = backing.map(Backing::name).orElse("").getBytes(StandardCharsets.UTF_8);
    if (name.length > BACKING_NAME_BYTES_MAX) {
      throw new IOException(
          "the name of the backing file has more than " + BACKING_NAME_BYTES_MAX + " bytes");
    }
    byte[] format =
        backing
            .map(Backing::format)
            .map(VolumeFormat::label)
            .orElse("")
            .getBytes(StandardCharsets.US_ASCII);
    int extensionBytes = format.length == 0 ? 0 : 8 + padded(format.length);
    int nameOffset = HEADER_BYTES + extensionBytes + 8;

    ByteBuffer header = ByteBuffer.allocate(nameOffset + name.length);
    header.putInt(MAGIC).putInt(VERSION);
    header.putLong(name.length == 0 ? 0 : nameOffset).putInt(name.length);
    header.putInt(CLUSTER_BITS).putLong(size);
    header.putInt(0); // not encrypted
    header.putInt(Math.toIntExact(l1Entries)).putLong(L1_TABLE_CLUSTER * CLUSTER_BYTES);
    header.putLong(REFCOUNT_TABLE_CLUSTER * CLUSTER_BYTES).putInt(1);
    header.putInt(0).putLong(0); // no internal snapshots
    header.putLong(0).putLong(0).putLong(0); // no incompatible, compatible or autoclear features
    header.putInt(REFCOUNT_ORDER).putInt(HEADER_BYTES);
    header.putLong(0); // compression type zlib, and padding
    if (format.length > 0) {
      header.putInt(EXTENSION_BACKING_FORMAT).putInt(format.length).put(format);
      header.position(HEADER_BYTES + extensionBytes);
    }
    header.putInt(EXTENSION_END).putInt(0);
    header.put(name);
    return header.array();
  }

  private static int padded(int length) {
    return (length + 7) / 8 * 8;
  }
}
