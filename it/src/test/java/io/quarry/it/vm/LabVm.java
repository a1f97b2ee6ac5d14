package io.quarry.it.vm;

import io.quarry.agent.data.process.Spawner;
import io.quarry.agent.dev.LoopbackPorts;
import io.quarry.coordinator.thread.Deadline;
import java.io.Closeable;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A virtual machine of the lab, with a kernel and a page cache of its own. QEMU dies with this JVM.
 * Programs may run at once; one thread at a time starts and stops the machine.
 */
public final class LabVm implements Closeable {
  private static final Duration BOOT_MAX = Duration.ofMinutes(3);
  private static final Duration RUN_MAX = Duration.ofMinutes(3);
  private static final long POLL_MILLIS = 20;
  private static final String REPORT = "report";
  private static final List<String> JAVA_OPTIONS =
      List.of(
          "-XX:TieredStopAtLevel=1",
          "-XX:+UseSerialGC",
          "-Xshare:auto",
          "-Xmx128m",
          "--enable-native-access=ALL-UNNAMED",
          "--sun-misc-unsafe-memory-access=allow");

  private final VmSpec spec;
  private final LabKit kit;
  private final JarDisk jars;
  private final Spawner spawner;
  private final Path logs;
  private final Path sockets;
  private int boots;
  private @Nullable Running running;

  /** The parts of a machine that is switched on. */
  private record Running(Process process, Qmp qmp, GuestAgent agent) {}

  /**
   * @param sockets a directory with a short path, as a socket's name may have 107 bytes
   */
  LabVm(VmSpec spec, LabKit kit, JarDisk jars, Spawner spawner, Path logs, Path sockets) {
    this.spec = spec;
    this.kit = kit;
    this.jars = jars;
    this.spawner = spawner;
    this.logs = logs;
    this.sockets = sockets;
  }

  public String name() {
    return spec.name();
  }

  /** The address of the machine at the other end of the first cable. */
  public String peer() {
    return spec.nics().getFirst().peer();
  }

  /** Switches the machine on, and waits until it has booted. */
  public void start() throws IOException, InterruptedException {
    if (running != null) {
      throw new IllegalStateException(name() + " runs already");
    }
    boots++;
    Path qmp = sockets.resolve(name() + ".qmp");
    Path agent = sockets.resolve(name() + ".agent");
    for (Path socket : sockets(qmp, agent)) {
      Files.deleteIfExists(socket);
    }
    Deadline booted = Deadline.after(BOOT_MAX);
    Process process =
        spawner.start(
            new ProcessBuilder(spec.command(kit, console(), log(REPORT), qmp, agent))
                .redirectErrorStream(true)
                .redirectInput(new File("/dev/null"))
                .redirectOutput(log("qemu").toFile()));
    try {
      awaitSockets(process, List.of(qmp, agent), booted);
      running = new Running(process, new Qmp(qmp), new GuestAgent(agent, booted));
      run(spec.networkScript());
    } catch (IOException e) {
      giveUp(process);
      throw new IOException(name() + " has not booted" + see(), e);
    } catch (InterruptedException e) {
      giveUp(process);
      throw e;
    }
  }

  /** Switches machines on, all at once. */
  static void startAll(Collection<LabVm> vms)
      throws IOException, InterruptedException, ExecutionException {
    try (ExecutorService threads = Executors.newFixedThreadPool(vms.size())) {
      List<Future<?>> starts = new ArrayList<>();
      for (LabVm vm : vms) {
        starts.add(
            threads.submit(() -> {
              vm.start();
              return null;
            }));
      }
      for (Future<?> start : starts) {
        start.get();
      }
    }
  }

  private void giveUp(Process process) {
    process.destroyForcibly();
    running = null;
  }

  private List<Path> sockets(Path... more) {
    List<Path> all = new ArrayList<>(List.of(more));
    spec.nics().forEach(nic -> all.add(nic.local()));
    return all;
  }

  private static void awaitSockets(Process qemu, List<Path> sockets, Deadline deadline)
      throws IOException, InterruptedException {
    while (!sockets.stream().allMatch(Files::exists)) {
      if (!qemu.isAlive() || deadline.passed()) {
        throw new IOException("QEMU does not start");
      }
      TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
    }
  }

  /** Runs a script of bash that must succeed; returns what the script has printed. */
  public String run(String script) throws IOException, InterruptedException {
    GuestProcess.Ended ended = running().agent().exec(bash(script)).await(RUN_MAX);
    if (ended.exitCode() != 0) {
      throw new IOException(
          "%s: exit code %d of%n%s%n%s%s%s"
              .formatted(name(), ended.exitCode(), script, ended.out(), ended.errors(), see()));
    }
    return ended.out().strip();
  }

  /** Whether a script of bash succeeds. */
  public boolean succeeds(String script) throws IOException, InterruptedException {
    return running().agent().exec(bash(script)).await(RUN_MAX).exitCode() == 0;
  }

  private static List<String> bash(String script) {
    return List.of("/bin/bash", "-euo", "pipefail", "-c", script);
  }

  /** Starts a main class from this JVM's class path in the guest. */
  public GuestJava java(Class<?> main, String... arguments)
      throws IOException, InterruptedException {
    return GuestJava.start(
        this, running().agent(), main.getSimpleName(), words(main, arguments), "2>&1");
  }

  /** Like {@link #java}. What the program prints goes to {@link #reported}. */
  public GuestJava reporting(Class<?> main, String... arguments)
      throws IOException, InterruptedException {
    return GuestJava.start(
        this,
        running().agent(),
        main.getSimpleName(),
        words(main, arguments),
        "2>&1 >" + VmSpec.REPORT);
  }

  private List<String> words(Class<?> main, String... arguments) {
    List<String> words = new ArrayList<>(List.of(LabKit.JAVA));
    words.addAll(JAVA_OPTIONS);
    words.addAll(List.of("-cp", jars.classPath(), main.getName()));
    words.addAll(List.of(arguments));
    return words;
  }

  /**
   * What programs have reported since the machine was first switched on: the lines that begin with
   * the word, each without it. No line is lost with the machine's power.
   */
  public List<String> reported(String word) throws IOException {
    List<String> lines = new ArrayList<>();
    for (int boot = 1; boot <= boots; boot++) {
      String text = Files.readString(log(boot, REPORT));
      GuestJava.after(word, text.substring(0, text.lastIndexOf('\n') + 1)).forEach(lines::add);
    }
    return lines;
  }

  /**
   * Takes the power away: what the guest has not written to its disks is lost. {@link #start}
   * brings the machine back.
   */
  public void cutPower() throws IOException {
    Running machine = running();
    running = null;
    machine.process().destroyForcibly().onExit().join();
    machine.qmp().close();
    machine.agent().close();
  }

  /** Stops the machine's processors, and with them the guest's clock. */
  public void pause() throws IOException {
    running().qmp().execute("stop", Map.of());
  }

  public void resume() throws IOException {
    running().qmp().execute("cont", Map.of());
  }

  /** Pulls the cables to other machines. */
  public void cutNetwork() throws IOException {
    setLinks(false);
  }

  public void restoreNetwork() throws IOException {
    setLinks(true);
  }

  /** Pulls the cable to this host, where ZooKeeper and the callers of the agents are. */
  public void cutHostCable() throws IOException {
    setLink(VmSpec.HOST_CABLE, false);
  }

  public void restoreHostCable() throws IOException {
    setLink(VmSpec.HOST_CABLE, true);
  }

  /** The address of this host's loopback interface, as the guest sees it. */
  public static String hostAddress() {
    return VmSpec.HOST_ADDRESS;
  }

  /** The URL of an HTTP server in the guest; it leads there until the machine's power is cut. */
  public URI forward(int guestPort) throws IOException {
    int port = LoopbackPorts.free();
    forward(port, guestPort);
    return URI.create("http://127.0.0.1:" + port);
  }

  /**
   * Makes a server in the guest answer at a port of this host. Other machines reach that port at
   * {@link #hostAddress}.
   */
  void forward(int port, int guestPort) throws IOException {
    String command =
        "hostfwd_add %s tcp:127.0.0.1:%d-:%d".formatted(VmSpec.HOST_CABLE, port, guestPort);
    String refusal =
        running().qmp().execute("human-monitor-command", Map.of("command-line", command)).asText();
    if (!refusal.isEmpty()) {
      throw new IOException(command + ": " + refusal);
    }
  }

  private void setLinks(boolean up) throws IOException {
    for (int i = 0; i < spec.nics().size(); i++) {
      setLink(VmSpec.netdev(i), up);
    }
  }

  private void setLink(String cable, boolean up) throws IOException {
    running().qmp().execute("set_link", Map.of("name", cable, "up", up));
  }

  /** Moves the guest's clock. */
  public void shiftClock(Duration by) throws IOException, InterruptedException {
    run("date --set=@$(($(date +%%s) + %d))".formatted(by.toSeconds()));
  }

  /** Where to look after a failure. */
  String see() {
    return "; see " + console() + " and the files beside it";
  }

  private Path console() {
    return log("console");
  }

  /** Each boot has logs of its own. */
  private Path log(String kind) {
    return log(boots, kind);
  }

  private Path log(int boot, String kind) {
    return logs.resolve("%s.%d.%s.log".formatted(name(), boot, kind));
  }

  /** How often the machine was switched on. */
  public int boots() {
    return boots;
  }

  public boolean isRunning() {
    return running != null;
  }

  /** Keeps what the guest knows about a failure. */
  void saveDiagnosis() throws IOException, InterruptedException {
    String state =
        run("dmesg | tail -n 200; ps ax; cat /proc/mounts; tail -n 200 /run/*.out || true");
    Files.writeString(log("state"), state);
  }

  private Running running() {
    return Objects.requireNonNull(running, () -> name() + " does not run");
  }

  @Override
  public void close() throws IOException {
    if (running != null) {
      cutPower();
    }
  }
}
