package io.quarry.agent;

import io.quarry.agent.data.os.FileModes;
import io.quarry.agent.guardian.ExitCode;
import io.quarry.agent.guardian.GuardianLink;
import io.quarry.agent.repository.StateFile;
import io.quarry.coordinator.thread.Supervisor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Runs one agent until it is told to stop: {@code AgentMain --config FILE}. */
public final class AgentMain {
  private static final Logger LOG = LoggerFactory.getLogger(AgentMain.class);

  private static final String UNCAUGHT = "other";

  private AgentMain() {}

  public static void main(String[] arguments) throws InterruptedException {
    Locale.setDefault(Locale.ROOT);
    Optional<GuardianLink> guardian = GuardianLink.fromEnvironment();
    if (arguments.length != 2 || !arguments[0].equals("--config")) {
      System.err.println("usage: AgentMain --config FILE");
      System.exit(ExitCode.USAGE);
    }
    FileModes.maskProcess();
    run(Path.of(arguments[1]), guardian);
  }

  /** Never returns, but exits the process. */
  private static void run(Path file, Optional<GuardianLink> guardian) throws InterruptedException {
    try {
      Supervisor supervisor = new Supervisor();
      // Also for threads that libraries have started.
      Thread.setDefaultUncaughtExceptionHandler(
          (thread, failure) -> supervisor.failed(UNCAUGHT, failure));
      Agent agent = new Agent(AgentConfig.load(file), guardian, supervisor);
      Runtime.getRuntime()
          .addShutdownHook(Thread.ofPlatform().name("shutdown").unstarted(agent::close));
      agent.start();
      new CountDownLatch(1).await();
    } catch (ConfigurationException e) {
      System.err.println("error: " + e.getMessage());
      System.exit(ExitCode.CONFIGURATION);
    } catch (StateFile.DamagedException e) {
      System.err.println("error: " + e.getMessage());
      System.exit(ExitCode.CONFIGURATION);
    } catch (IOException | RuntimeException e) {
      LOG.error("The agent cannot start", e);
      System.exit(ExitCode.FAILED);
    }
  }
}
