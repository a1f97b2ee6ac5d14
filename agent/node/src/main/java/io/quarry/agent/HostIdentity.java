package io.quarry.agent;

import io.quarry.agent.repository.StateFile;
import io.quarry.coordinator.cluster.Booted;
import io.quarry.coordinator.plan.HostBoot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Distinguishes this machine from others of its name, and this boot from earlier ones. The key is
 * made once and stays in the agent's state directory. A machine that was cloned without that
 * directory gets another key.
 */
final class HostIdentity {
  private static final Logger LOG = LoggerFactory.getLogger(HostIdentity.class);

  /** For tests: a file in the state directory that stands for the kernel's. */
  private static final String BOOT_FILE = System.getProperty("quarry.boot.file", "");

  private static final Path KERNEL = Path.of("/proc/sys/kernel/random/boot_id");
  private static final Path STATISTICS = Path.of("/proc/stat");
  private static final String KEY = "host-key";
  private static final Pattern ID = Pattern.compile("[0-9a-f-]{36}");
  private static final Set<PosixFilePermission> OWNER =
      PosixFilePermissions.fromString("rw-------");

  private HostIdentity() {}

  /** Null when the kernel does not say which boot this is: then a reboot proves nothing. */
  static @Nullable Booted load(Path stateDirectory) throws IOException {
    String key = key(stateDirectory);
    Path injected = stateDirectory.resolve(BOOT_FILE);
    boolean real = BOOT_FILE.isEmpty() || !Files.exists(injected);
    String boot = read(real ? KERNEL : injected);
    Instant at = real ? bootedAt() : Files.getLastModifiedTime(injected).toInstant();
    if (boot == null || at == null) {
      LOG.warn("The kernel does not say in which boot this host is; its opens outlast reboots");
      return null;
    }
    return new Booted(new HostBoot(key, boot), at);
  }

  /** The host's key, made durably when there is none. */
  static String key(Path stateDirectory) throws IOException {
    Path file = stateDirectory.resolve(KEY);
    String known = read(file);
    if (known != null) {
      Files.setPosixFilePermissions(file, OWNER);
      return known;
    }
    if (Files.exists(file)) {
      LOG.warn("{} holds no key; this host gets another one, so its earlier opens stay", file);
    }
    String key = UUID.randomUUID().toString();
    // The key must survive a power cut: the next boot proves by the key which uses have ended.
    new StateFile(file, PosixFilePermissions.asFileAttribute(OWNER)).writeText(key + "\n");
    return key;
  }

  private static @Nullable String read(Path file) throws IOException {
    try {
      String text = Files.readString(file).strip();
      return ID.matcher(text).matches() ? text : null;
    } catch (NoSuchFileException e) {
      return null;
    }
  }

  private static @Nullable Instant bootedAt() throws IOException {
    for (String line : Files.readAllLines(STATISTICS)) {
      if (line.startsWith("btime ")) {
        return Instant.ofEpochSecond(Long.parseLong(line.substring("btime ".length()).strip()));
      }
    }
    return null;
  }
}
