package io.quarry.agent.dev;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * ZooKeeper in a process of its own, which tests kill, wipe and start again. The server's port
 * stays the same. Not thread-safe.
 */
public final class ZooKeeperProcess implements AutoCloseable {
  private static final Duration START_WAIT = Duration.ofSeconds(60);
  private static final Duration POLL = Duration.ofMillis(10);
  private static final List<String> JAVA_OPTIONS =
      List.of("-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1");

  private final ChildProcesses processes;
  private final Path directory;
  private final int port;
  private @Nullable Process process;

  ZooKeeperProcess(ChildProcesses processes, Path directory, int port) {
    this.processes = processes;
    this.directory = directory;
    this.port = port;
  }

  public String connectString() {
    return LoopbackPorts.LOOPBACK + ":" + port;
  }

  public long pid() {
    return running().pid();
  }

  /** Starts the process and does not wait. */
  public void launch() throws IOException {
    if (process != null) {
      throw new IllegalStateException("ZooKeeper runs already");
    }
    Files.createDirectories(directory);
    process =
        processes.java(
            JAVA_OPTIONS,
            ZooKeeperMain.class,
            List.of("--data", data().toString(), "--port", Integer.toString(port)),
            log());
  }

  /** Starts the process and waits until ZooKeeper serves. */
  public void start() throws IOException {
    launch();
    Process starting = running();
    long deadline = System.nanoTime() + START_WAIT.toNanos();
    while (!ZooKeeperProbe.serves(port)) {
      if (!starting.isAlive() || System.nanoTime() > deadline) {
        kill();
        throw new IOException("ZooKeeper does not start; see " + log());
      }
      LockSupport.parkNanos(POLL.toNanos());
    }
  }

  /** SIGKILL. The data stays. */
  public void kill() {
    if (process != null) {
      process.destroyForcibly().onExit().join();
      process = null;
    }
  }

  /** SIGTERM. Returns when it has ended. */
  void shutDown() {
    running().destroy();
    running().onExit().join();
    process = null;
  }

  /** Deletes everything ZooKeeper knew; kill it first. */
  public void wipe() throws IOException {
    if (process != null) {
      throw new IllegalStateException("Kill ZooKeeper before its data is wiped");
    }
    if (!Files.exists(data())) {
      return;
    }
    Files.walkFileTree(
        data(),
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.delete(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException failure)
              throws IOException {
            if (failure != null) {
              throw failure;
            }
            Files.delete(directory);
            return FileVisitResult.CONTINUE;
          }
        });
  }

  /** SIGSTOP: connections stay open, and the server does not answer. */
  public void pause() throws IOException, InterruptedException {
    Pids.signal(pid(), "STOP");
  }

  public void resume() throws IOException, InterruptedException {
    Pids.signal(pid(), "CONT");
  }

  public Path log() {
    return directory.resolve("zookeeper.log");
  }

  @Override
  public void close() {
    kill();
  }

  private Path data() {
    return directory.resolve("data");
  }

  private Process running() {
    if (process == null) {
      throw new IllegalStateException("ZooKeeper does not run");
    }
    return process;
  }
}
