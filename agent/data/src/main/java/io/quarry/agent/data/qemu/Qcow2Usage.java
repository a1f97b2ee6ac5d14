package io.quarry.agent.data.qemu;

import io.quarry.agent.data.os.NativeFile;
import java.io.IOException;
import java.nio.ByteBuffer;

/** Which clusters of a qcow2 file are in use, by the file's reference counts. */
public final class Qcow2Usage {
  private static final int HEADER_BYTES = 104;
  private static final int CLUSTER_BITS_AT = 20;
  private static final int TABLE_AT = 48;
  private static final int TABLE_CLUSTERS_AT = 56;
  private static final int ORDER_AT = 96;
  private static final int BITS_OF_A_BYTE = 8;

  private Qcow2Usage() {}

  /** Whether a cluster behind the offset has a reference. */
  public static boolean usesBehind(NativeFile file, long offset) throws IOException {
    ByteBuffer header = ByteBuffer.wrap(file.bytes(0, HEADER_BYTES));
    if (header.limit() < HEADER_BYTES || header.getInt(0) != EmptyQcow2.MAGIC) {
      throw new IOException(file.path() + " is no qcow2 file of version 3");
    }
    int clusterBytes = 1 << header.getInt(CLUSTER_BITS_AT);
    int countBits = 1 << header.getInt(ORDER_AT);
    long countsOfABlock = (long) clusterBytes * BITS_OF_A_BYTE / countBits;
    int tableBytes = Math.multiplyExact(header.getInt(TABLE_CLUSTERS_AT), clusterBytes);
    ByteBuffer table = ByteBuffer.wrap(file.bytes(header.getLong(TABLE_AT), tableBytes));
    long first = offset / clusterBytes;
    int entries = table.limit() / Long.BYTES;
    for (int entry = (int) (first / countsOfABlock); entry < entries; entry++) {
      long block = table.getLong(entry * Long.BYTES);
      long skipped = Math.max(0, first - entry * countsOfABlock) * countBits / BITS_OF_A_BYTE;
      if (block != 0 && hasReference(file.bytes(block, clusterBytes), (int) skipped)) {
        return true;
      }
    }
    return false;
  }

  private static boolean hasReference(byte[] block, int from) {
    for (int i = from; i < block.length; i++) {
      if (block[i] != 0) {
        return true;
      }
    }
    return false;
  }
}
