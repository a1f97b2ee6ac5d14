package io.quarry.agent.server;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.net.impl.ConnectionBase;
import java.util.UUID;

/**
 * Keeps a connection open that its caller has closed for sending, until all requests are answered.
 * The end of the caller's data becomes a last request, which waits for its turn as other requests
 * do.
 */
final class HalfClosed {
  /** The path of the last request. No caller can know the path. */
  private final String end = UUID.randomUUID().toString();

  /** Call this on the event loop, before any data is read. */
  void watch(HttpConnection connection) {
    ChannelHandlerContext last = ((ConnectionBase) connection).channelHandlerContext();
    Channel channel = last.channel();
    channel.config().setOption(ChannelOption.ALLOW_HALF_CLOSURE, true);
    channel.pipeline().addBefore(last.name(), "half-closed", new InputEnd());
  }

  /**
   * Whether this is the last request: all answers before it are sent, and the connection is to be
   * closed.
   */
  boolean isEnd(HttpServerRequest request) {
    return end.equals(request.uri());
  }

  private final class InputEnd extends ChannelInboundHandlerAdapter {
    private boolean between = true;

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      if (message instanceof HttpRequest) {
        between = false;
      }
      if (message instanceof LastHttpContent) {
        between = true;
      }
      context.fireChannelRead(message);
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
      if (!(event instanceof ChannelInputShutdownEvent)) {
        context.fireUserEventTriggered(event);
      } else if (between) {
        context.fireChannelRead(new DefaultHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.GET, end));
        context.fireChannelRead(LastHttpContent.EMPTY_LAST_CONTENT);
        context.fireChannelReadComplete();
      } else {
        // The rest of the request will never arrive.
        var _ = context.close();
      }
    }
  }
}
