package io.quarry.agent.data.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class ChildrenTest {
  private static final Duration SOON = Duration.ofSeconds(20);

  private final Children children = new Children(new Spawner(), "test");

  @AfterEach
  void stop() throws Exception {
    children.stopAll(SOON);
  }

  @Test
  void outputAndExitCodeComeBack() throws Exception {
    ToolOutput output = sh("echo out; echo err >&2; exit 3");
    assertThat(output.stdout()).isEqualTo("out\n");
    assertThat(output.stderrTail()).isEqualTo("err");
    assertThat(output.exitCode()).isEqualTo(3);
  }

  @Test
  void failureNamesCommandExitCodeAndLastWords() {
    ToolFailure failure =
        catchThrowableOfType(ToolFailure.class, () -> sh("echo no disk >&2; exit 7").orFail());
    assertThat(failure.exitCode()).hasValue(7);
    assertThat(failure).hasMessageContaining("sh -c").hasMessageEndingWith("no disk");
  }

  @Test
  void aToolThatDoesNotExistIsAFailure() {
    assertThatThrownBy(() -> children.run(List.of("no-such-tool"), SOON).orFail())
        .isInstanceOf(ToolFailure.class)
        .hasMessageContaining("no-such-tool");
  }

  @Test
  void longErrorsAreKeptByTheirEnd() throws Exception {
    ToolOutput output = sh("seq 1 100000 >&2");
    assertThat(output.stderrTail()).endsWith("99999\n100000");
    assertThat(output.stderrTail().length()).isLessThanOrEqualTo(Child.STDERR_BYTES_MAX);
  }

  @Test
  void tooMuchOutputEndsTheTool() {
    assertThatThrownBy(() -> children.run(List.of("yes"), SOON, 1000))
        .isInstanceOf(ToolFailure.class)
        .hasMessageContaining("more than 1000 bytes");
  }

  @Test
  void missedDeadlineEndsTheToolAndItsOwnChildren() throws Exception {
    Path pid = Files.createTempFile("pid", "");
    assertThatThrownBy(() ->
            children.run(
                List.of("sh", "-c", "sleep 1000 & echo $! > " + pid + "; wait"),
                Duration.ofMillis(500)))
        .isInstanceOf(ToolFailure.class)
        .hasMessageContaining("no end within");
    awaitGone(Long.parseLong(Files.readString(pid).strip()));
    Files.delete(pid);
  }

  @Test
  void interruptEndsTheTool() throws Exception {
    AtomicReference<Throwable> thrown = new AtomicReference<>();
    CountDownLatch started = new CountDownLatch(1);
    Thread thread =
        Thread.ofPlatform()
            .start(() -> {
              started.countDown();
              try {
                children.run(List.of("sleep", "1000"), Duration.ofHours(1));
              } catch (IOException | InterruptedException e) {
                thrown.set(e);
              }
            });
    started.await();
    thread.interrupt();
    thread.join();
    assertThat(thrown.get()).isInstanceOf(InterruptedException.class);
  }

  @Test
  void afterStopAllNoneIsLeftAndNoneCanStart() throws Exception {
    Child one = children.start(List.of("sleep", "1000"));
    Child two = children.start(List.of("sh", "-c", "trap '' TERM INT; sleep 1000"));
    children.stopAll(SOON);
    assertThat(one.isAlive()).isFalse();
    assertThat(two.isAlive()).isFalse();
    assertThatThrownBy(() -> children.start(List.of("true"))).hasMessageContaining("stopped");
  }

  @Test
  void childrenDieWithTheirJvm() throws Exception {
    Process jvm =
        new ProcessBuilder(
                ProcessHandle.current().info().command().orElseThrow(),
                "-cp",
                System.getProperty("java.class.path"),
                ParentMain.class.getName())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    long pid;
    try (BufferedReader out =
        new BufferedReader(new InputStreamReader(jvm.getInputStream(), StandardCharsets.UTF_8))) {
      pid = Long.parseLong(out.readLine());
      assertThat(isAlive(pid)).isTrue();
      jvm.destroyForcibly().waitFor();
    }
    awaitGone(pid);
  }

  /** A process that starts a child from a thread that ends, prints the child's pid, and waits. */
  static final class ParentMain {
    private ParentMain() {}

    public static void main(String[] args) throws Exception {
      Children children = new Children(new Spawner(), "parent");
      Thread starter =
          Thread.ofPlatform()
              .start(() -> {
                try {
                  System.out.println(children.start(List.of("sleep", "1000")).pid());
                } catch (IOException e) {
                  throw new IllegalStateException(e);
                }
              });
      starter.join();
      new CountDownLatch(1).await();
    }
  }

  private ToolOutput sh(String script) throws IOException, InterruptedException {
    return children.run(List.of("sh", "-c", script), SOON);
  }

  private static void awaitGone(long pid) {
    Awaitility.await().atMost(SOON).until(() -> !isAlive(pid));
  }

  /** An orphan that has ended may stay a zombie when its parent does not reap it. */
  private static boolean isAlive(long pid) throws IOException {
    Path status = Path.of("/proc", Long.toString(pid), "stat");
    try {
      String text = Files.readString(status);
      return text.charAt(text.lastIndexOf(')') + 2) != 'Z';
    } catch (IOException e) {
      if (Files.exists(status)) {
        throw e;
      }
      return false;
    }
  }
}
