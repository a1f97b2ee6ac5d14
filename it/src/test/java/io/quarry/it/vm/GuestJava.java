package io.quarry.it.vm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A Java program in a VM, whose lines can be read while it runs. */
public final class GuestJava {
  private static final Duration PATIENCE = Duration.ofMinutes(5);

  private final LabVm vm;
  private final GuestProcess process;
  private final String output;

  private GuestJava(LabVm vm, GuestProcess process, String output) {
    this.vm = vm;
    this.process = process;
    this.output = output;
  }

  /**
   * @param redirections in the words of a shell, after standard output goes to the program's file
   */
  static GuestJava start(
      LabVm vm, GuestAgent agent, String name, List<String> command, String redirections)
      throws IOException, InterruptedException {
    String output = vm.run("mktemp /run/" + name + ".XXXXXX.out");
    String words = command.stream().map(word -> "'" + word + "'").collect(Collectors.joining(" "));
    String script = "exec " + words + " >" + output + " " + redirections;
    return new GuestJava(vm, agent.exec(List.of("/bin/sh", "-c", script)), output);
  }

  /** What the program has printed so far. */
  String output() throws IOException, InterruptedException {
    return vm.run("cat " + output);
  }

  /** The lines so far that begin with the word, each without it. */
  public List<String> lines(String word) throws IOException, InterruptedException {
    return after(word, output()).toList();
  }

  /** The lines that begin with the word, each without it. */
  static Stream<String> after(String word, String text) {
    String prefix = word + " ";
    return text.lines()
        .filter(line -> line.startsWith(prefix))
        .map(line -> line.substring(prefix.length()));
  }

  public void awaitLines(String word, int count) {
    await()
        .atMost(PATIENCE)
        .pollInterval(Duration.ofMillis(500))
        .untilAsserted(
            () -> assertThat(lines(word)).as(this::describe).hasSizeGreaterThanOrEqualTo(count));
  }

  /** Waits for the program's end, which must be a success. */
  public void awaitSuccess() throws IOException, InterruptedException {
    assertThat(exitCode()).as(this::describe).isZero();
  }

  /** Waits for the program's end; returns its exit code. */
  int exitCode() throws IOException, InterruptedException {
    return process.await(PATIENCE).exitCode();
  }

  /** SIGKILL; returns when the program is gone. */
  public void kill() throws IOException, InterruptedException {
    vm.run("kill -KILL " + process.pid() + " || true");
    process.await(PATIENCE);
  }

  /** The end of what the program has printed, and where to find more. */
  public String describe() {
    try {
      return vm.name() + ": " + vm.run("tail -n 30 " + output) + vm.see();
    } catch (IOException e) {
      return e.toString();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return e.toString();
    }
  }
}
