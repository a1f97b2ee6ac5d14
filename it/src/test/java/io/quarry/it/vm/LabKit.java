package io.quarry.it.vm;

import java.nio.file.Path;
import java.util.Objects;

/** The files that all VMs of the lab boot; {@code ./verify lab} makes them. */
record LabKit(Path directory) {
  /** The Java runtime in the root disk. */
  static final String JAVA = "/opt/jre/bin/java";

  static LabKit find() {
    String kit = System.getenv("QUARRY_LAB_KIT");
    return new LabKit(
        Path.of(Objects.requireNonNull(kit, "QUARRY_LAB_KIT is not set; run ./verify lab")));
  }

  Path kernel() {
    return directory.resolve("vmlinuz");
  }

  Path initramfs() {
    return directory.resolve("initramfs");
  }

  /** VMs share the root disk and change it in their memory alone. */
  Path root() {
    return directory.resolve("root.ext4");
  }
}
