package io.quarry.agent.data.qemu;

import io.quarry.agent.data.os.NativeFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;

/**
 * The header of a qcow2 file from outside. The agent reads the header before any tool of QEMU opens
 * the file. A file that names other files, or needs features that this project does not use, never
 * reaches a tool. {@code qemu-img check} judges the rest of the file.
 */
record Qcow2Header(ByteBuffer bytes, long fileBytes) {
  static final int BYTES = 112;

  private static final int VERSION_2_BYTES = 72;
  private static final int VERSION_3_BYTES = 104;
  private static final int CLUSTER_BITS_MIN = 9;
  private static final int CLUSTER_BITS_MAX = 21;
  private static final int REFCOUNT_ORDER_MAX = 6;
  private static final long SECTOR_BYTES = 512;

  /** QEMU's own limit. */
  private static final long L1_BYTES_MAX = 32L << 20;

  private static final int VERSION = 4;
  private static final int BACKING_OFFSET = 8;
  private static final int BACKING_LENGTH = 16;
  private static final int CLUSTER_BITS = 20;
  private static final int SIZE = 24;
  private static final int ENCRYPTION = 32;
  private static final int L1_ENTRIES = 36;
  private static final int L1_OFFSET = 40;
  private static final int REFCOUNT_OFFSET = 48;
  private static final int SNAPSHOTS = 60;
  private static final int INCOMPATIBLE = 72;
  private static final int AUTOCLEAR = 88;
  private static final int REFCOUNT_ORDER = 96;
  private static final int LENGTH = 100;

  private static final long DIRTY = 1;
  private static final long CORRUPT = 1 << 1;
  private static final long EXTERNAL_DATA = 1 << 2;
  private static final long COMPRESSION_TYPE = 1 << 3;
  private static final long EXTENDED_L2 = 1 << 4;
  private static final long KNOWN =
      DIRTY | CORRUPT | EXTERNAL_DATA | COMPRESSION_TYPE | EXTENDED_L2;
  private static final long BITMAPS = 1;

  static Qcow2Header read(NativeFile file) throws IOException {
    // A file that is too short is filled up with zeros.
    ByteBuffer bytes = ByteBuffer.wrap(Arrays.copyOf(file.bytes(0, BYTES), BYTES));
    return new Qcow2Header(bytes, file.size());
  }

  /** The size of the disk in bytes; 0 for a file that is not qcow2. */
  long virtualSize() {
    return bytes.getInt(0) == EmptyQcow2.MAGIC ? bytes.getLong(SIZE) : 0;
  }

  /** Refuses a file that its own header shows to be unusable here. */
  void require() throws UntrustedImageException {
    if (fileBytes < VERSION_2_BYTES || bytes.getInt(0) != EmptyQcow2.MAGIC) {
      throw new UntrustedImageException(
          "it is not a qcow2 file", "Upload it as raw, or convert it with qemu-img convert.");
    }
    int version = bytes.getInt(VERSION);
    if (version != 2 && version != 3) {
      throw lies("it has version " + version + ", and there are only 2 and 3");
    }
    requireAlone();
    if (version == 3) {
      requireFeatures();
    }
    requireTables(version);
  }

  /** Refuses references to other files, and content that a disk does not show. */
  private void requireAlone() throws UntrustedImageException {
    if (bytes.getLong(BACKING_OFFSET) != 0 || bytes.getInt(BACKING_LENGTH) != 0) {
      throw UntrustedImageException.convert("it names a backing file");
    }
    if (bytes.getInt(ENCRYPTION) != 0) {
      throw UntrustedImageException.convert("it is encrypted");
    }
    if (bytes.getInt(SNAPSHOTS) != 0) {
      throw UntrustedImageException.convert("it has internal snapshots");
    }
  }

  private void requireFeatures() throws UntrustedImageException {
    long features = bytes.getLong(INCOMPATIBLE);
    if ((features & EXTERNAL_DATA) != 0) {
      throw UntrustedImageException.convert("it keeps its data in another file");
    }
    if ((features & (DIRTY | CORRUPT)) != 0) {
      throw new UntrustedImageException(
          "it was not closed cleanly, or is marked as corrupt",
          "Repair it with qemu-img check -r all, or take a new copy of it.");
    }
    if ((features & ~KNOWN) != 0) {
      throw UntrustedImageException.convert(
          "it needs features that are not known here: " + Long.toHexString(features & ~KNOWN));
    }
    if ((bytes.getLong(AUTOCLEAR) & BITMAPS) != 0) {
      throw UntrustedImageException.convert("it has persistent bitmaps");
    }
    if (bytes.getInt(LENGTH) < VERSION_3_BYTES) {
      throw lies("its header has " + bytes.getInt(LENGTH) + " bytes");
    }
    if (Integer.compareUnsigned(bytes.getInt(REFCOUNT_ORDER), REFCOUNT_ORDER_MAX) > 0) {
      throw lies("its reference counts have 2^" + bytes.getInt(REFCOUNT_ORDER) + " bits");
    }
  }

  private void requireTables(int version) throws UntrustedImageException {
    int clusterBits = bytes.getInt(CLUSTER_BITS);
    if (clusterBits < CLUSTER_BITS_MIN || clusterBits > CLUSTER_BITS_MAX) {
      throw lies("its clusters have 2^" + clusterBits + " bytes");
    }
    long size = virtualSize();
    if (size <= 0 || size % SECTOR_BYTES != 0) {
      throw lies("its disk has " + size + " bytes, which is no multiple of " + SECTOR_BYTES);
    }
    boolean extended = version == 3 && (bytes.getLong(INCOMPATIBLE) & EXTENDED_L2) != 0;
    long entryBytes = extended ? 2 * Long.BYTES : Long.BYTES;
    long bytesPerEntry = ((1L << clusterBits) / entryBytes) << clusterBits;
    long needed = Math.ceilDiv(size, bytesPerEntry);
    long entries = Integer.toUnsignedLong(bytes.getInt(L1_ENTRIES));
    if (entries < needed || entries * Long.BYTES > L1_BYTES_MAX) {
      throw lies("its first table has " + entries + " entries, and its size needs " + needed);
    }
    for (long table : List.of(bytes.getLong(L1_OFFSET), bytes.getLong(REFCOUNT_OFFSET))) {
      if (table <= 0 || table >= fileBytes || table % (1L << clusterBits) != 0) {
        throw lies("it has a table at " + table + " of " + fileBytes + " bytes");
      }
    }
  }

  private static UntrustedImageException lies(String what) {
    return new UntrustedImageException(
        "its header is not right: " + what,
        "Take a new copy of it, and see that qemu-img check finds nothing wrong.");
  }
}
