package io.quarry.agent.fix;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.agent.data.Tools;
import io.quarry.agent.data.qemu.Chain;
import io.quarry.common.model.VolumeFormat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * The bytes that the names of writes stand for: small pieces of zeros and patterns at random
 * places.
 */
final class Writes {
  private static final int BLOCK = 512;
  private static final int PIECE_BLOCKS_MAX = 400;
  private static final int PIECES_MAX = 3;
  private static final int PATTERNS = 255;

  /** One in so many pieces is zeros. */
  private static final int ZEROS = 5;

  private record Piece(long offset, int length, int pattern) {
    String command() {
      return pattern == 0
          ? "write -z %d %d".formatted(offset, length)
          : "write -P %d %d %d".formatted(pattern, offset, length);
    }
  }

  private final Random random;
  private final Tools tools;
  private final Map<String, List<Piece>> pieces = new HashMap<>();

  Writes(Random random, Tools tools) {
    this.random = random;
    this.tools = tools;
  }

  /** Makes up a write into an image of that size. */
  private List<Piece> fresh(String name, long size) {
    List<Piece> made = new ArrayList<>();
    for (int i = 0; i <= random.nextInt(PIECES_MAX); i++) {
      long offset = (long) BLOCK * random.nextLong(size / BLOCK);
      int length = BLOCK * (1 + random.nextInt(PIECE_BLOCKS_MAX));
      int pattern = random.nextInt(ZEROS) == 0 ? 0 : 1 + random.nextInt(PATTERNS);
      made.add(new Piece(offset, (int) Math.min(length, size - offset), pattern));
    }
    pieces.put(name, made);
    return made;
  }

  /** Writes as a guest does. */
  void write(String name, Chain chain, long size) throws IOException, InterruptedException {
    List<String> words = new ArrayList<>(List.of("qemu-io"));
    for (Piece piece : fresh(name, size)) {
      words.addAll(List.of("-c", piece.command()));
    }
    words.add(chain.name(false));
    assertThat(tools.run(words.toArray(String[]::new))).doesNotContain("failed");
  }

  /** Stores a whole disk, as an upload does. */
  void store(String name, Path file, long size) throws IOException {
    fresh(name, size);
    put(file, List.of(name), size);
  }

  /** Checks that the image holds these writes, one after the other, and no other bytes. */
  void check(Chain chain, List<String> names, long size, Path scratch, String what)
      throws IOException, InterruptedException {
    put(scratch, names, size);
    try {
      tools.run("qemu-img", "compare", "-U", "-f", "raw", scratch.toString(), chain.name(true));
    } catch (IOException e) {
      throw new AssertionError(what + " does not hold " + describe(names) + ": " + e, e);
    } finally {
      Files.delete(scratch);
    }
  }

  /** Checks that the metadata of a qcow2 file has neither errors nor leaks. */
  void checkSound(Path file) throws IOException, InterruptedException {
    tools.run("qemu-img", "check", "-U", Chain.of(file, VolumeFormat.QCOW2).name(true));
  }

  private String describe(List<String> names) {
    return names.stream().map(name -> name + pieces.get(name)).toList().toString();
  }

  private void put(Path file, List<String> names, long size) throws IOException {
    try (FileChannel out =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.SPARSE)) {
      for (String name : names) {
        for (Piece piece : pieces.getOrDefault(name, List.of())) {
          byte[] bytes = new byte[piece.length()];
          Arrays.fill(bytes, (byte) piece.pattern());
          writeAt(out, piece.offset(), bytes);
        }
      }
      if (out.size() < size) {
        writeAt(out, size - 1, new byte[1]);
      }
    }
  }

  private static void writeAt(FileChannel out, long offset, byte[] bytes) throws IOException {
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    while (buffer.hasRemaining()) {
      out.write(buffer, offset + buffer.position());
    }
  }
}
