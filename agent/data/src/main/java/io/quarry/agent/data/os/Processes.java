package io.quarry.agent.data.os;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Processes of this host, as far as /proc shows them to this user. */
public final class Processes {
  private static final Path PROC = Path.of("/proc");

  /** The search stops after this time, even if it has not seen all processes. */
  private static final long SEARCH_NANOS = 300_000_000;

  private static final int ACCESS_MODE = 3;
  private static final int OCTAL = 8;

  private static final String CAPABILITIES = "CapEff:";
  private static final int HEXADECIMAL = 16;

  /** The bit of CAP_SYS_ADMIN. */
  private static final long MAY_MOUNT = 1L << 21;

  private Processes() {}

  /** Whether this process has the capability CAP_SYS_ADMIN. */
  public static boolean mayMount() throws IOException {
    return Files.readAllLines(PROC.resolve("self/status"), StandardCharsets.ISO_8859_1).stream()
        .filter(line -> line.startsWith(CAPABILITIES))
        .map(line -> line.substring(CAPABILITIES.length()).strip())
        .anyMatch(mask -> (Long.parseUnsignedLong(mask, HEXADECIMAL) & MAY_MOUNT) != 0);
  }

  /**
   * Finds the process that writes to a file, and names the process in words. Files are matched by
   * name, since a process may have files open on a hanging mount or in another mount namespace.
   *
   * @param name of the file, which no other file has
   */
  public static Optional<String> writingTo(String name) {
    long end = System.nanoTime() + SEARCH_NANOS;
    try (DirectoryStream<Path> processes = Files.newDirectoryStream(PROC, "[0-9]*")) {
      for (Path process : processes) {
        if (System.nanoTime() - end > 0) {
          break;
        }
        if (writes(process, name)) {
          String command = Files.readString(process.resolve("comm"), StandardCharsets.UTF_8);
          return Optional.of(command.strip() + " (process " + process.getFileName() + ")");
        }
      }
    } catch (IOException e) {
      return Optional.empty();
    }
    return Optional.empty();
  }

  /** False for a process that has ended, or that this user may not inspect. */
  private static boolean writes(Path process, String name) {
    try (DirectoryStream<Path> open = Files.newDirectoryStream(process.resolve("fd"))) {
      for (Path each : open) {
        Path target = Files.readSymbolicLink(each).getFileName();
        if (target != null
            && target.toString().equals(name)
            && mayWrite(process.resolve("fdinfo").resolve(String.valueOf(each.getFileName())))) {
          return true;
        }
      }
      return false;
    } catch (IOException | RuntimeException e) {
      return false;
    }
  }

  private static boolean mayWrite(Path descriptor) throws IOException {
    return Files.readAllLines(descriptor).stream()
        .filter(line -> line.startsWith("flags:"))
        .map(line -> Integer.parseInt(line.substring("flags:".length()).strip(), OCTAL))
        .anyMatch(flags -> (flags & ACCESS_MODE) != 0);
  }
}
