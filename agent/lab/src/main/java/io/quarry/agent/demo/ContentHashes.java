package io.quarry.agent.demo;

import io.quarry.agent.data.qemu.Chain;
import io.quarry.agent.data.qemu.MapEntry;
import io.quarry.agent.data.qemu.QemuImg;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/** Hashes the content that a guest would read from an image, without help from QEMU. */
final class ContentHashes {
  private static final int BUFFER_BYTES = 4 << 20;

  private final QemuImg qemuImg;

  ContentHashes(QemuImg qemuImg) {
    this.qemuImg = qemuImg;
  }

  /** The SHA-256 of the content in hexadecimal. */
  String sha256(Chain chain, long size) throws IOException, InterruptedException {
    MessageDigest digest = digest();
    ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);
    List<FileChannel> files = new ArrayList<>();
    try {
      for (Chain.Layer layer : chain.layers()) {
        files.add(FileChannel.open(layer.file(), StandardOpenOption.READ));
      }
      long position = 0;
      for (MapEntry entry : qemuImg.map(chain, 0, size)) {
        if (entry.start() != position) {
          throw new IOException(chain + ": no map of byte " + position);
        }
        position += entry.length();
        if (entry.zero() || !entry.data()) {
          zeros(digest, buffer, entry.length());
        } else {
          data(digest, buffer, files, chain, entry);
        }
      }
      if (position != size) {
        throw new IOException(chain + ": " + position + " bytes instead of " + size);
      }
    } finally {
      for (FileChannel file : files) {
        file.close();
      }
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private static void zeros(MessageDigest digest, ByteBuffer buffer, long length) {
    buffer.clear();
    while (buffer.hasRemaining()) {
      buffer.putLong(0);
    }
    for (long left = length; left > 0; left -= BUFFER_BYTES) {
      digest.update(buffer.clear().limit((int) Math.min(left, BUFFER_BYTES)));
    }
  }

  private static void data(
      MessageDigest digest, ByteBuffer buffer, List<FileChannel> files, Chain chain, MapEntry entry)
      throws IOException {
    FileChannel file = files.get(entry.depth());
    long offset =
        entry
            .fileOffset()
            .orElseThrow(() ->
                new IOException(
                    chain.layers().get(entry.depth()).file() + " holds compressed data"));
    long end = offset + entry.length();
    while (offset < end) {
      buffer.clear().limit((int) Math.min(end - offset, BUFFER_BYTES));
      int read = file.read(buffer, offset);
      if (read < 0) {
        throw new IOException(chain.layers().get(entry.depth()).file() + " ends at byte " + offset);
      }
      digest.update(buffer.flip());
      offset += read;
    }
  }

  private static MessageDigest digest() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
