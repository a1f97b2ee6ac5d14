package io.quarry.agent.dev;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Classes in the JVM's own form. Agents that are killed every few seconds then start in half the
 * time and with half the work.
 */
public final class ClassArchive {
  private static final Logger LOG = LoggerFactory.getLogger(ClassArchive.class);
  private static final String WRITE = "-XX:AOTCacheOutput=";
  private static final String USE = "-XX:AOTCache=";
  private static final Duration START_MAX = Duration.ofSeconds(60);

  private ClassArchive() {}

  static boolean isIn(LocalClusterOptions options) {
    return options.javaOptions().stream()
        .anyMatch(option -> option.startsWith(WRITE) || option.startsWith(USE));
  }

  /**
   * The options, with an archive that an agent with the same options has written; unchanged when no
   * archive can be made.
   *
   * @param directory for the archive and the cluster that makes the archive
   */
  public static LocalClusterOptions usedBy(LocalClusterOptions options, Path directory)
      throws InterruptedException {
    Path archive = directory.resolve("agent.jsa");
    Path cluster = directory.resolve("archive-maker");
    LocalClusterOptions maker =
        LocalClusterOptions.in(cluster).withJavaOptions(and(options, WRITE + archive));
    try (LocalCluster once = LocalCluster.start(maker)) {
      once.awaitReady(START_MAX);
      once.host(0).shutDown();
    } catch (IOException | TimeoutException e) {
      LOG.warn("Agents start without a class archive: {}", e.toString());
    }
    try {
      DeleteTree.of(cluster);
    } catch (IOException e) {
      LOG.warn("{} stays: {}", cluster, e.toString());
    }
    return Files.exists(archive)
        ? options.withJavaOptions(and(options, USE + archive, "-Xlog:disable"))
        : options;
  }

  private static String[] and(LocalClusterOptions options, String... more) {
    List<String> all = new ArrayList<>(options.javaOptions());
    all.addAll(List.of(more));
    return all.toArray(String[]::new);
  }
}
