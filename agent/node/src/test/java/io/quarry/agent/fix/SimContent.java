package io.quarry.agent.fix;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * The expected content of a small disk: for each sector the stamps that it may bear. A sector has
 * several after a guest has died between its write and its flush.
 */
final class SimContent {
  static final int SECTOR_BYTES = 512;
  static final int BLOCK_BYTES = 4096;
  static final int BLOCKS = 8;
  static final int SIZE = BLOCKS * BLOCK_BYTES;
  private static final int SECTORS_PER_BLOCK = BLOCK_BYTES / SECTOR_BYTES;

  private final List<Set<Integer>> sectors;

  private SimContent(List<Set<Integer>> sectors) {
    this.sectors = sectors;
  }

  static SimContent zeros() {
    List<Set<Integer>> sectors = new ArrayList<>();
    for (int i = 0; i < BLOCKS * SECTORS_PER_BLOCK; i++) {
      sectors.add(Set.of(0));
    }
    return new SimContent(sectors);
  }

  SimContent copy() {
    return new SimContent(new ArrayList<>(sectors));
  }

  /** A block all of whose sectors bear that stamp. */
  static byte[] block(int stamp) {
    ByteBuffer block = ByteBuffer.allocate(BLOCK_BYTES);
    while (block.hasRemaining()) {
      block.putInt(stamp);
    }
    return block.array();
  }

  /** A write of the block begins. */
  void maybe(int block, int stamp) {
    for (int sector : sectorsOf(block)) {
      Set<Integer> either = new TreeSet<>(sectors.get(sector));
      either.add(stamp);
      sectors.set(sector, either);
    }
  }

  /** The block is written and flushed. */
  void surely(int block, int stamp) {
    for (int sector : sectorsOf(block)) {
      sectors.set(sector, Set.of(stamp));
    }
  }

  private static int[] sectorsOf(int block) {
    int[] sectors = new int[SECTORS_PER_BLOCK];
    Arrays.setAll(sectors, i -> block * SECTORS_PER_BLOCK + i);
    return sectors;
  }

  void check(byte[] found, String what) {
    assertThat(found.length).as("size of %s", what).isEqualTo(SIZE);
    ByteBuffer bytes = ByteBuffer.wrap(found);
    for (int sector = 0; sector < sectors.size(); sector++) {
      int stamp = bytes.getInt(sector * SECTOR_BYTES);
      if (!sectors.get(sector).contains(stamp)) {
        throw new AssertionError(
            "sector %d of %s has %d, not one of %s"
                .formatted(sector, what, stamp, sectors.get(sector)));
      }
      for (int at = 0; at < SECTOR_BYTES; at += Integer.BYTES) {
        if (bytes.getInt(sector * SECTOR_BYTES + at) != stamp) {
          throw new AssertionError("sector " + sector + " of " + what + " is torn");
        }
      }
    }
  }
}
