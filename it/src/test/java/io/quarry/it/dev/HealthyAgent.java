package io.quarry.it.dev;

import com.sun.net.httpserver.HttpServer;
import io.quarry.agent.AgentConfig;
import io.quarry.agent.guardian.GuardianLink;
import java.nio.file.Path;

/** An agent that only answers that it is healthy. */
final class HealthyAgent {
  private static final int OK = 200;
  private static final int NO_BODY = -1;

  private HealthyAgent() {}

  public static void main(String[] arguments) throws Exception {
    AgentConfig config = AgentConfig.load(Path.of(arguments[1]));
    GuardianLink link = GuardianLink.fromEnvironment().orElseThrow();
    System.err.println("Well, incarnation " + link.incarnation());
    new ProcessBuilder("setsid", "--fork", "sleep", "1000").inheritIO().start().waitFor();
    HttpServer server = HttpServer.create(config.listenAddress(), 0);
    server.createContext(
        "/health",
        exchange -> {
          exchange.sendResponseHeaders(OK, NO_BODY);
          exchange.close();
        });
    server.start();
    Thread.currentThread().join();
  }
}
