package io.quarry.agent.storage.nfs;

import io.quarry.agent.data.os.Errno;
import io.quarry.agent.data.process.Children;
import io.quarry.agent.data.process.ToolOutput;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Runs {@link MountMain} as a child. */
final class MountChild {
  private static final Logger LOG = LoggerFactory.getLogger(MountChild.class);
  private static final int OUTPUT_BYTES_MAX = 4096;

  /** For the start and the end of a JVM on a busy machine; the child is killed then. */
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  /** A small JVM that starts fast. */
  private static final List<String> JVM =
      List.of(
          "--enable-native-access=ALL-UNNAMED",
          "-Xmx32m",
          "-Xshare:auto",
          "-XX:+UseSerialGC",
          "-XX:TieredStopAtLevel=1");

  private final Children children;

  MountChild(Children children) {
    this.children = children;
  }

  /**
   * The last line that the child printed.
   *
   * @param deadline of the call that the child makes
   */
  String run(Duration deadline, String... arguments) throws IOException, InterruptedException {
    List<String> words = new ArrayList<>(List.of("env", "LC_ALL=C.UTF-8"));
    words.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    words.addAll(JVM);
    words.addAll(List.of("-cp", System.getProperty("java.class.path")));
    words.addAll(List.of(MountMain.class.getName(), Long.toString(deadline.toMillis())));
    Collections.addAll(words, arguments);
    ToolOutput output = children.run(words, deadline.plus(PATIENCE), OUTPUT_BYTES_MAX).orFail();
    if (!output.stderrTail().isBlank()) {
      LOG.warn("Mounting: {}", output.stderrTail());
    }
    return output.stdout().lines().reduce("", (_, later) -> later);
  }

  /** An answer of the child in words. */
  static String text(String answer) {
    return errno(answer) == 0 ? answer : Errno.textOf(errno(answer));
  }

  /** 0 for an answer without an error number. */
  static int errno(String answer) {
    return answer.startsWith(MountMain.FAILED)
        ? Integer.parseInt(answer.substring(MountMain.FAILED.length()))
        : 0;
  }
}
