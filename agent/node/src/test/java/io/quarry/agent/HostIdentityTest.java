package io.quarry.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.coordinator.cluster.Booted;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** 12.26: the proof that a host is the same one in a later boot. */
final class HostIdentityTest {
  @TempDir private Path directory;

  @Test
  void keyIsMadeOnceAndForItsOwnerAlone() throws Exception {
    String key = HostIdentity.key(directory);
    assertThat(HostIdentity.key(directory)).isEqualTo(key);
    Path file = directory.resolve("host-key");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
        .isEqualTo("rw-------");
    try (Stream<Path> all = Files.list(directory)) {
      assertThat(all).containsExactly(file);
    }
  }

  @Test
  void wideModeIsNarrowed() throws Exception {
    String key = HostIdentity.key(directory);
    Path file = directory.resolve("host-key");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-rw-rw-"));
    assertThat(HostIdentity.key(directory)).isEqualTo(key);
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
        .isEqualTo("rw-------");
  }

  /** A machine that was set up anew must not act as its predecessor. */
  @Test
  void anotherDirectoryHasAnotherKeyAndSoHasOneThatLostIt() throws Exception {
    String key = HostIdentity.key(directory);
    assertThat(HostIdentity.key(Files.createDirectory(directory.resolve("other"))))
        .isNotEqualTo(key);
    Files.writeString(directory.resolve("host-key"), "spoilt");
    assertThat(HostIdentity.key(directory)).isNotEqualTo(key).isNotEqualTo("spoilt");
  }

  @Test
  void bootIsTheKernels() throws Exception {
    Booted booted = Objects.requireNonNull(HostIdentity.load(directory));
    assertThat(booted.boot().bootId())
        .isEqualTo(Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip());
    assertThat(booted.at()).isBetween(Instant.EPOCH.plusSeconds(1), Instant.now());
  }
}
