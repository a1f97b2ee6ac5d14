package io.quarry.agent.dev;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Free ports on the loopback address for servers that restart on the same port. The ports lie below
 * the kernel's ephemeral range. Inside that range an outgoing connection could take the port while
 * the server is down. Even a client's own attempt to connect could take the port, and connect to
 * itself.
 */
public final class LoopbackPorts {
  static final String LOOPBACK = "127.0.0.1";

  private static final int PORT_MIN = 15_000;
  private static final int PORT_MAX = 32_000;
  private static final int TRIES_MAX = 200;

  private LoopbackPorts() {}

  public static int free() throws IOException {
    for (int tries = 0; tries < TRIES_MAX; tries++) {
      int port = ThreadLocalRandom.current().nextInt(PORT_MIN, PORT_MAX);
      if (isFree(port)) {
        return port;
      }
    }
    throw new IOException("No free port between " + PORT_MIN + " and " + PORT_MAX);
  }

  private static boolean isFree(int port) {
    try (ServerSocket probe = new ServerSocket()) {
      probe.bind(new InetSocketAddress(InetAddress.ofLiteral(LOOPBACK), port));
      return true;
    } catch (IOException taken) {
      return false;
    }
  }
}
