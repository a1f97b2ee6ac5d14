package io.quarry.it.tree;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** An image as it should be: its repository, its base, and one byte for each of its blocks. */
final class Member {
  static final int BLOCKS = 16;
  static final int BLOCK_BYTES = 16 << 10;
  static final int SIZE = BLOCKS * BLOCK_BYTES;

  final String repo;
  final String id;
  final boolean disk;
  final byte[] content;

  /** The image that this one was made over; a snapshot of a disk comes in between. */
  @Nullable Member below;

  boolean removed;

  Member(String repo, String id, boolean disk, byte[] content, @Nullable Member below) {
    this.repo = repo;
    this.id = id;
    this.disk = disk;
    this.content = content.clone();
    this.below = below;
  }

  /** Visible snapshots below, the nearest first. */
  List<Member> bases() {
    List<Member> bases = new ArrayList<>();
    for (Member at = below; at != null; at = at.below) {
      if (!at.removed) {
        bases.add(at);
      }
    }
    return bases;
  }

  /** The qemu-io commands that write the content, or read and check it. */
  List<String> blocks(String how) {
    List<String> commands = new ArrayList<>();
    for (int block = 0; block < BLOCKS; block++) {
      commands.add(
          "%s -P %d %d %d".formatted(how, content[block], block * BLOCK_BYTES, BLOCK_BYTES));
    }
    return commands;
  }

  @Override
  public String toString() {
    return (disk ? "disk " : "snapshot ") + id + " in " + repo;
  }
}
