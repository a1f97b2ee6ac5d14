package io.quarry.agent.dev;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;

/** Asks a ZooKeeper server on this machine whether it serves. */
final class ZooKeeperProbe {
  /**
   * The one of ZooKeeper's four-letter words whose answer distinguishes serving from just
   * listening.
   */
  static final String COMMAND = "srvr";

  private static final Duration ANSWER_WAIT = Duration.ofSeconds(2);

  private ZooKeeperProbe() {}

  static boolean serves(int port) {
    int wait = Math.toIntExact(ANSWER_WAIT.toMillis());
    try (Socket socket = new Socket()) {
      socket.connect(
          new InetSocketAddress(InetAddress.ofLiteral(LoopbackPorts.LOOPBACK), port), wait);
      socket.setSoTimeout(wait);
      socket.getOutputStream().write(COMMAND.getBytes(US_ASCII));
      socket.shutdownOutput();
      String answer = new String(socket.getInputStream().readAllBytes(), US_ASCII);
      return answer.startsWith("Zookeeper version");
    } catch (IOException notYet) {
      return false;
    }
  }
}
