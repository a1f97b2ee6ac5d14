package io.quarry.it.log;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.file.StandardOpenOption.DSYNC;
import static java.nio.file.StandardOpenOption.WRITE;

import io.quarry.agent.storage.block.HostSlot;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.OptionalInt;

/**
 * The slot of a host, in a file or at the beginning of a disk.
 *
 * @param place /dev/null for a host that forgets its slot with each process
 */
public record KeptSlot(String host, Path place) implements HostSlot {
  private static final int DIGITS = 4;

  public static KeptSlot forgotten(String host) {
    return new KeptSlot(host, Path.of("/dev/null"));
  }

  @Override
  public String key() {
    String digits = HexFormat.of().formatHex(host.getBytes(US_ASCII));
    return "%32s".formatted(digits).replace(' ', '0');
  }

  @Override
  public OptionalInt slot() throws IOException {
    try (InputStream in = Files.newInputStream(place)) {
      String text = new String(in.readNBytes(DIGITS), US_ASCII);
      return text.isEmpty() || text.charAt(0) == 0
          ? OptionalInt.empty()
          : OptionalInt.of(Integer.parseInt(text));
    }
  }

  @Override
  public void keep(int slot) throws IOException {
    Files.writeString(place, "%04d".formatted(slot), WRITE, DSYNC);
  }
}
