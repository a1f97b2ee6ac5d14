package io.quarry.it.guardian;

import static org.awaitility.Awaitility.await;

import io.quarry.agent.dev.ClassArchive;
import io.quarry.agent.guardian.GuardianMain;
import io.quarry.agent.guardian.PidFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/** A guardian's process with a {@link GuardedAgent} below it. */
final class GuardianUnderTest implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private final Path directory;
  private final Process guardian;

  GuardianUnderTest(Path directory, String config, String... options) throws IOException {
    this(directory, config, Path.of("/usr/bin"), options);
  }

  /**
   * @param programs the directory in which the guardian finds programs
   */
  GuardianUnderTest(Path directory, String config, Path programs, String... options)
      throws IOException {
    this.directory = directory;
    Files.createDirectories(directory);
    Path file = Files.writeString(directory.resolve("config"), config);
    List<String> words = new ArrayList<>(List.of("setpriv", "--pdeathsig", "KILL"));
    words.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    List<String> jvm = new ArrayList<>(ClassArchive.sharedOptions());
    jvm.addAll(List.of("-Xmx48m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
    words.addAll(jvm);
    words.addAll(List.of("--enable-native-access=ALL-UNNAMED"));
    words.addAll(List.of("-cp", ClassArchive.classPath()));
    words.addAll(List.of(GuardianMain.class.getName(), "--config", file.toString()));
    words.addAll(List.of("--agent-main", GuardedAgent.class.getName()));
    words.addAll(List.of("--pid-directory", directory.toString()));
    jvm.forEach(option -> words.addAll(List.of("--java-option", option)));
    words.addAll(List.of(options));
    ProcessBuilder builder =
        new ProcessBuilder(words)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log().toFile()));
    builder.environment().put("PATH", programs.toString());
    guardian = builder.start();
  }

  Process process() {
    return guardian;
  }

  Path log() {
    return directory.resolve("log");
  }

  Path work() {
    return directory.resolve("work");
  }

  /** The agent whose pid differs from that one, once its guardian knows the agent's session. */
  ProcessHandle agentOtherThan(long pid, int sessions) throws IOException {
    await().atMost(PATIENCE).until(() -> agentPid().orElse(pid) != pid);
    await().atMost(PATIENCE).until(() -> guardedSessions() >= sessions);
    return ProcessHandle.of(agentPid().orElseThrow()).orElseThrow();
  }

  ProcessHandle firstAgent() throws IOException {
    return agentOtherThan(0, 1);
  }

  OptionalLong agentPid() throws IOException {
    return PidFile.read(directory, PidFile.AGENT);
  }

  private long guardedSessions() throws IOException {
    return Files.readString(log()).lines().filter(line -> line.contains("Guarding")).count();
  }

  @Override
  public void close() {
    List<ProcessHandle> below = guardian.toHandle().descendants().toList();
    guardian.destroyForcibly();
    below.forEach(ProcessHandle::destroyForcibly);
    guardian.onExit().join();
  }
}
