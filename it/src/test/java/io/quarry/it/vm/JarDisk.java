package io.quarry.it.vm;

import io.quarry.it.box.QemuGuest;
import io.quarry.it.vm.VmSpec.Disk;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * The class path of this JVM as a read-only disk: the project's classes, those of its tests, and
 * what they need.
 *
 * @param classPath inside of a VM
 */
record JarDisk(Path file, String classPath) {
  /** Where VMs mount the disk. */
  private static final Path MOUNT = Path.of("/opt/quarry");

  private static final int DISK_MIB = 256;

  static JarDisk make(Path directory) throws IOException, InterruptedException {
    Path tree = Files.createDirectories(directory.resolve("jars"));
    List<String> classPath = new ArrayList<>();
    for (Path source : Arrays.stream(ownClassPath()).map(Path::of).filter(Files::exists).toList()) {
      // Directories have the same name in all modules, and two jars might.
      String name = classPath.size() + "-" + source.getFileName();
      copy(source, tree.resolve(name));
      classPath.add(MOUNT.resolve(name).toString());
    }
    Path disk = directory.resolve("jars.ext4");
    QemuGuest.run(
        List.of(
            "mke2fs",
            "-q",
            "-t",
            "ext4",
            "-O",
            "^has_journal",
            "-d",
            tree.toString(),
            disk.toString(),
            DISK_MIB + "M"));
    return new JarDisk(disk, String.join(File.pathSeparator, classPath));
  }

  Disk disk() {
    return Disk.readOnly("jars", file);
  }

  private static String[] ownClassPath() {
    return System.getProperty("java.class.path").split(File.pathSeparator, -1);
  }

  private static void copy(Path source, Path target) throws IOException {
    List<Path> sources;
    try (Stream<Path> found = Files.walk(source)) {
      sources = found.toList();
    }
    for (Path each : sources) {
      Files.copy(each, target.resolve(source.relativize(each).toString()).normalize());
    }
  }
}
