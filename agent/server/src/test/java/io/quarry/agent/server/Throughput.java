package io.quarry.agent.server;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.quarry.common.api.CreateVirtualDiskRequest;
import io.quarry.common.api.ImageOptions;
import io.quarry.common.api.Json;
import io.quarry.common.api.StatusQuery;
import io.quarry.common.client.StorageClient;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The cost of the server and the client alone, around a storage that answers at once. Prints
 * requests per second and latencies; run this by hand, on a quiet machine.
 */
final class Throughput {
  private Throughput() {}

  public static void main(String[] arguments) throws Exception {
    Duration each = Duration.ofSeconds(arguments.length > 0 ? Long.parseLong(arguments[0]) : 3);
    try (var server = new ServerUnderTest()) {
      String disk = server.seed();
      String status = "/v1/repositories/fast/images/" + disk + "/status";
      for (int round = 0; round < 2; round++) {
        for (int connections : List.of(1, 8, 64)) {
          report("status", connections, each, load(server, status, connections, each));
        }
      }
      latencies(server, disk, status);
    }
  }

  private static void report(String what, int connections, Duration each, long requests) {
    System.out.printf(
        "%-8s %3d connections: %,8d requests/s%n",
        what, connections, requests * 1000 / each.toMillis());
  }

  /** Counts the requests that are answered in the time, on connections that stay open. */
  static long load(ServerUnderTest server, String path, int connections, Duration time)
      throws Exception {
    AtomicBoolean over = new AtomicBoolean();
    byte[] request = ("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n").getBytes(US_ASCII);
    long requests = 0;
    try (ExecutorService threads = Executors.newFixedThreadPool(connections)) {
      List<Future<Long>> counts = new ArrayList<>();
      for (int i = 0; i < connections; i++) {
        counts.add(threads.submit(() -> loop(server, request, over)));
      }
      Thread.sleep(time);
      over.set(true);
      for (Future<Long> count : counts) {
        requests += count.get();
      }
    }
    return requests;
  }

  private static long loop(ServerUnderTest server, byte[] request, AtomicBoolean over)
      throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.server.port())) {
      socket.setTcpNoDelay(true);
      OutputStream output = socket.getOutputStream();
      InputStream input = socket.getInputStream();
      byte[] answer = new byte[4096];
      long count = 0;
      int length = 0;
      while (!over.get()) {
        output.write(request);
        int received = 0;
        do {
          int n = input.read(answer, received, answer.length - received);
          if (n < 0) {
            throw new IOException("closed");
          }
          received += n;
          // All answers have the same length: the first one ends with its JSON object.
        } while (length == 0 ? answer[received - 1] != '}' : received < length);
        length = received;
        count++;
      }
      return count;
    }
  }

  private static void latencies(ServerUnderTest server, String disk, String status)
      throws Exception {
    var create =
        new CreateVirtualDiskRequest(
            512, null, Json.MAPPER.createObjectNode(), ImageOptions.DEFAULT);
    try (var client = new StorageClient(List.of(server.server.uri()));
        HttpClient jdk = HttpClient.newHttpClient()) {
      HttpRequest request =
          HttpRequest.newBuilder(URI.create(server.server.uri() + status)).build();
      for (int round = 0; round < 2; round++) {
        latency("StorageClient status", () -> client.getImageStatus("fast", disk, StatusQuery.NOW));
        latency("StorageClient create", () -> client.createVirtualDisk("fast", create, null));
        latency("JDK client status", () -> jdk.send(request, BodyHandlers.ofString()));
      }
      try (ExecutorService virtual = Executors.newVirtualThreadPerTaskExecutor()) {
        virtual
            .submit(() -> {
              latency(
                  "StorageClient status, virtual thread",
                  () -> client.getImageStatus("fast", disk, StatusQuery.NOW));
              return 0;
            })
            .get();
      }
    }
  }

  private static void latency(String what, Callable<?> call) throws Exception {
    long[] nanos = new long[10_000];
    for (int i = 0; i < nanos.length; i++) {
      long start = System.nanoTime();
      var _ = call.call();
      nanos[i] = System.nanoTime() - start;
    }
    Arrays.sort(nanos);
    System.out.printf(
        "%-38s p50 %4d us, p99 %5d us%n",
        what, nanos[nanos.length / 2] / 1000, nanos[nanos.length * 99 / 100] / 1000);
  }
}
