package io.quarry.agent.cli;

import io.quarry.common.api.Sha256;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/** The SHA-256 of a file, as {@code sha256sum} prints it. */
final class FileDigest {
  private static final int BUFFER_BYTES = 1 << 20;
  private static final Pattern DIGEST = Pattern.compile("[0-9a-fA-F]{64}");

  private FileDigest() {}

  static boolean isDigest(String text) {
    return DIGEST.matcher(text).matches();
  }

  static String of(Path file, Consumer<Done> progress) throws IOException {
    MessageDigest digest = Sha256.fresh();
    long size = Files.size(file);
    long done = 0;
    byte[] buffer = new byte[BUFFER_BYTES];
    try (InputStream in = Files.newInputStream(file)) {
      for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
        digest.update(buffer, 0, count);
        done += count;
        progress.accept(new Done(done, size));
      }
    }
    return HexFormat.of().formatHex(digest.digest());
  }
}
