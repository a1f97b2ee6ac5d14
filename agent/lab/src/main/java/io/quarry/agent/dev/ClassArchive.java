package io.quarry.agent.dev;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.WRITE;

import io.quarry.common.api.StorageException;
import io.quarry.common.client.StorageClient;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Classes in the JVM's own form. The processes of a cluster then start in half the time and with
 * half the work. All processes share one archive.
 */
public final class ClassArchive {
  private static final Logger LOG = LoggerFactory.getLogger(ClassArchive.class);
  private static final String RECORD = "-XX:DumpLoadedClassList=";
  private static final String USE = "-XX:SharedArchiveFile=";

  /** Names the archive of all clusters whose options name none; made when a jar is newer. */
  private static final String SHARED = "quarry.classArchive";

  private static final Duration START_MAX = Duration.ofSeconds(60);

  private static final long DUMP_SECONDS_MAX = 120;

  /** A JVM that could not make the archive does not try again for its next cluster. */
  private static boolean failed;

  private ClassArchive() {}

  /** Those options of a cluster's agents that its other processes need as well. */
  static List<String> optionsIn(LocalClusterOptions options) throws IOException {
    List<String> own =
        options.javaOptions().stream()
            .filter(option -> option.startsWith(RECORD) || option.startsWith(USE))
            .toList();
    return own.isEmpty() ? sharedOptions() : own;
  }

  /** The options of a JVM that uses the archive of all clusters, if there is one. */
  public static List<String> sharedOptions() throws IOException {
    String archive = System.getProperty(SHARED);
    return archive == null ? List.of() : using(Path.of(archive));
  }

  /** This JVM's class path, in the order that the archive needs. */
  public static String classPath() {
    return ChildProcesses.jarsFirst();
  }

  /** The first JVM that needs the archive makes it, while others wait. */
  private static synchronized List<String> using(Path archive) throws IOException {
    if (failed) {
      return List.of();
    }
    Path lock = archive.resolveSibling(archive.getFileName() + ".lock");
    try (var file = FileChannel.open(lock, CREATE, WRITE);
        var _ = file.lock()) {
      if (!isNewerThanJars(archive)) {
        Files.deleteIfExists(archive);
        make(archive);
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while " + archive + " was made");
    } catch (IOException e) {
      LOG.warn("Agents start without a class archive: {}", e.toString());
    }
    failed = Files.notExists(archive);
    return failed ? List.of() : List.of(USE + archive);
  }

  /**
   * The options, with an archive that a cluster with the same options has written. The options stay
   * unchanged when no archive can be made, or when all clusters share one already.
   *
   * @param directory for the archive
   */
  public static LocalClusterOptions usedBy(LocalClusterOptions options, Path directory)
      throws InterruptedException {
    if (System.getProperty(SHARED) != null) {
      return options;
    }
    Path archive = directory.resolve("agent.jsa");
    make(archive);
    return Files.exists(archive) ? options.withJavaOptions(and(options, USE + archive)) : options;
  }

  private static void make(Path archive) throws InterruptedException {
    Path directory = archive.resolveSibling(archive.getFileName() + "-maker");
    try {
      DeleteTree.of(directory);
      Files.createDirectories(directory.resolve("lists"));
      record(directory);
      Path made = directory.resolve("made");
      dump(classes(directory), made, directory.resolve("dump.log"));
      Files.move(made, archive, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException | TimeoutException e) {
      LOG.warn("Agents start without a class archive: {}", e.toString());
    }
    try {
      DeleteTree.of(directory);
    } catch (IOException e) {
      LOG.warn("{} stays: {}", directory, e.toString());
    }
  }

  /** Each process writes a list of the classes that it needs; a process that is killed does not. */
  private static void record(Path directory)
      throws IOException, InterruptedException, TimeoutException {
    LocalClusterOptions plain = LocalClusterOptions.in(directory.resolve("cluster"));
    List<Map<String, Object>> repositories =
        List.of(
            NewRepository.at("one", directory.resolve("one")),
            NewRepository.at("two", directory.resolve("two")));
    LocalClusterOptions options =
        plain
            .withJavaOptions(and(plain, RECORD + directory.resolve("lists").resolve("%p")))
            .withAgentConfig(Map.of("repositories", repositories));
    try (LocalCluster once = LocalCluster.start(options)) {
      once.awaitReady(START_MAX);
      try (StorageClient client = new StorageClient(List.of(once.host(0).url()))) {
        new Practice(client, "one", "two").run();
      } catch (StorageException e) {
        LOG.warn("Classes of some work stay out of the archive: {}", e.toString());
      }
      once.host(0).shutDown();
      once.zooKeeper().shutDown();
    }
  }

  /** All lists in one: classes are known by their names alone. */
  private static Path classes(Path directory) throws IOException {
    Set<String> lines = new LinkedHashSet<>();
    try (var lists = Files.list(directory.resolve("lists"))) {
      for (Path list : lists.toList()) {
        Files.readAllLines(list).stream()
            .filter(line -> !line.startsWith("#") && !line.contains(" source: "))
            .map(line -> line.replaceFirst(" id: \\d+$", ""))
            .forEach(lines::add);
      }
    }
    return Files.write(directory.resolve("classes"), lines);
  }

  private static void dump(Path classes, Path archive, Path log)
      throws IOException, InterruptedException {
    List<String> options =
        List.of(
            "-Xshare:dump",
            "-XX:+AOTClassLinking",
            "-XX:+UseSerialGC",
            "-XX:SharedClassListFile=" + classes,
            USE + archive);
    Process dumping = ChildProcesses.ofJars().java(options, ClassArchive.class, List.of(), log);
    if (!dumping.waitFor(DUMP_SECONDS_MAX, TimeUnit.SECONDS)) {
      dumping.destroyForcibly();
    }
    if (dumping.waitFor() != 0) {
      throw new IOException(Files.readString(log));
    }
  }

  private static boolean isNewerThanJars(Path archive) throws IOException {
    if (Files.notExists(archive)) {
      return false;
    }
    FileTime made = Files.getLastModifiedTime(archive);
    for (String jar : ChildProcesses.jars().toList()) {
      if (made.compareTo(Files.getLastModifiedTime(Path.of(jar))) <= 0) {
        return false;
      }
    }
    return true;
  }

  private static String[] and(LocalClusterOptions options, String more) {
    List<String> all = new ArrayList<>(options.javaOptions());
    all.add(more);
    return all.toArray(String[]::new);
  }
}
