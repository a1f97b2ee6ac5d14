package io.quarry.it.vm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** What tests do to a machine happens to its guest. */
@ExtendWith(LabExtension.class)
@Timeout(600)
final class MachineLab {
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final int PORT = 7070;

  @Test
  void pausedGuestStandsStill(Lab lab) throws Exception {
    LabVm server = lab.server();
    lab.nfs().makeDirectories("pause");
    LabVm host = lab.host("a");
    String mount = lab.nfs().mount(host, "vers=4.2");
    host.run(
        "while :; do cat /proc/uptime >%s/pause/beat; done >/dev/null 2>&1 & echo $! >/run/beat.pid"
            .formatted(mount));
    String read = "cat /srv/export/pause/beat || true";
    await().atMost(PATIENCE).until(() -> !server.run(read).isEmpty());
    host.pause();
    try {
      // What the guest has sent before may still arrive.
      await()
          .atMost(PATIENCE)
          .pollInterval(Duration.ofSeconds(1))
          .until(() -> server.run(read).equals(server.run("sleep 1; " + read)));
    } finally {
      host.resume();
    }
    String seen = server.run(read);
    await().atMost(PATIENCE).until(() -> !server.run(read).equals(seen));
    host.run("kill $(cat /run/beat.pid)");
  }

  @Test
  void hostWithoutNetworkDoesNotReachTheServer(Lab lab) throws Exception {
    LabVm host = lab.host("a");
    String connect = "timeout 10 bash -c '</dev/tcp/%s/2049'".formatted(host.peer());
    assertThat(host.succeeds(connect)).isTrue();
    host.cutNetwork();
    assertThat(host.succeeds(connect)).isFalse();
    host.restoreNetwork();
    await().atMost(PATIENCE).until(() -> host.succeeds(connect));
  }

  @Test
  void hostThatLosesItsPowerComesBackWithAnEmptyMemory(Lab lab) throws Exception {
    lab.nfs().makeDirectories("reboot");
    LabVm host = lab.host("b");
    String mount = lab.nfs().mount(host, "vers=4.2");
    host.run("echo here | tee /run/memory >%s/reboot/file; sync".formatted(mount));
    host.cutPower();
    host.start();
    assertThat(host.succeeds("cat /run/memory")).isFalse();
    String again = lab.nfs().mount(host, "vers=4.2");
    assertThat(host.run("cat " + again + "/reboot/file")).isEqualTo("here");
  }

  @Test
  void guestAndThisHostReachEachOther(Lab lab) throws Exception {
    LabVm host = lab.host("a");
    try (ServerSocket listening = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      host.run(
          "echo hello >/dev/tcp/%s/%d".formatted(LabVm.hostAddress(), listening.getLocalPort()));
      try (Socket socket = listening.accept()) {
        byte[] bytes = socket.getInputStream().readAllBytes();
        assertThat(new String(bytes, StandardCharsets.US_ASCII)).isEqualTo("hello\n");
      }
    }
    host.run("busybox httpd -p " + PORT + " -h /etc");
    URI url = host.forward(PORT).resolve("/hostname-of-lab");
    host.run("hostname >/etc/hostname-of-lab");
    try (HttpClient http = HttpClient.newHttpClient()) {
      assertThat(http.send(HttpRequest.newBuilder(url).build(), BodyHandlers.ofString()).body())
          .isEqualTo("a\n");
    }
  }

  @Test
  void guestsClockMoves(Lab lab) throws Exception {
    LabVm host = lab.host("a");
    Duration shift = Duration.ofDays(2);
    host.shiftClock(shift);
    try {
      Instant shown = Instant.ofEpochSecond(Long.parseLong(host.run("date +%s")));
      assertThat(shown).isAfter(Instant.now().plus(Duration.ofDays(1)));
    } finally {
      host.shiftClock(shift.negated());
    }
  }
}
