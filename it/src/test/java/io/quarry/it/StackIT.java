package io.quarry.it;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.epoll.Epoll;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.http.HttpServer;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.RetryOneTime;
import org.apache.zookeeper.server.embedded.ExitHandler;
import org.apache.zookeeper.server.embedded.ZooKeeperServerEmbedded;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The pinned libraries load and work together. This test is the first to fail after a wrong change
 * of a version.
 */
@Timeout(60)
final class StackIT {
  @Test
  void embeddedZooKeeperKeepsWhatCuratorWrites(@TempDir Path directory) throws Exception {
    Properties settings = new Properties();
    settings.setProperty("clientPort", "0");
    settings.setProperty("clientPortAddress", "127.0.0.1");
    settings.setProperty("admin.enableServer", "false");
    try (ZooKeeperServerEmbedded server =
        ZooKeeperServerEmbedded.builder()
            .baseDir(directory)
            .configuration(settings)
            .exitHandler(ExitHandler.LOG_ONLY)
            .build()) {
      server.start(TimeUnit.SECONDS.toMillis(30));
      try (CuratorFramework client =
          CuratorFrameworkFactory.newClient(server.getConnectionString(), new RetryOneTime(100))) {
        client.start();
        client.create().creatingParentsIfNeeded().forPath("/quarry/probe", "stone".getBytes(UTF_8));
        assertThat(client.getData().forPath("/quarry/probe")).asString(UTF_8).isEqualTo("stone");
      }
    }
  }

  @Test
  void httpServerAnswersOverNativeTransport() throws Exception {
    assertThat(Epoll.isAvailable()).isTrue();
    Vertx vertx = Vertx.vertx(new VertxOptions().setPreferNativeTransport(true));
    try (HttpClient client = HttpClient.newHttpClient()) {
      assertThat(vertx.isNativeTransportEnabled()).isTrue();
      HttpServer server =
          vertx
              .createHttpServer()
              .requestHandler(request -> request.response().end("stone"))
              .listen(0, "127.0.0.1")
              .await();
      URI address = URI.create("http://127.0.0.1:" + server.actualPort());
      assertThat(
              client.send(HttpRequest.newBuilder(address).build(), BodyHandlers.ofString()).body())
          .isEqualTo("stone");
    } finally {
      vertx.close().await();
    }
  }
}
