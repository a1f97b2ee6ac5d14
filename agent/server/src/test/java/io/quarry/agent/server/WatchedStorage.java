package io.quarry.agent.server;

import static java.util.Objects.requireNonNull;

import io.quarry.agent.call.FakeStorage;
import io.quarry.common.api.ImageData;
import io.quarry.common.api.StorageApi;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A storage in memory for many callers, whose calls a test sees, delays and refuses. */
final class WatchedStorage implements InvocationHandler {
  /** Without the watching; for as long as no call is in flight. */
  final FakeStorage fake = new FakeStorage();

  /** How many commits watchers are told of. */
  final AtomicLong events = new AtomicLong();

  private final StorageApi api =
      (StorageApi)
          Proxy.newProxyInstance(
              StorageApi.class.getClassLoader(), new Class<?>[] {StorageApi.class}, this);
  private final Map<Class<?>, Object> last = new ConcurrentHashMap<>();
  private final AtomicInteger streamsClosed = new AtomicInteger();
  private volatile Consumer<String> before = verb -> {};

  StorageApi api() {
    return api;
  }

  /**
   * Runs before each call, and may throw. The action gets the name of the method, and the last
   * argument if that is a text; for a read of a download {@code read}, and the offset.
   */
  void before(Consumer<String> action) {
    before = action;
  }

  /** The argument of that type of the last call that had one. */
  <T> T last(Class<T> type) {
    return type.cast(requireNonNull(last.get(type), type::getName));
  }

  int streamsClosed() {
    return streamsClosed.get();
  }

  @Override
  public @Nullable Object invoke(Object proxy, Method method, Object @Nullable [] arguments)
      throws Throwable {
    Object[] all = arguments == null ? new Object[0] : arguments;
    boolean text = all.length > 0 && method.getParameterTypes()[all.length - 1] == String.class;
    before.accept(text ? method.getName() + " " + all[all.length - 1] : method.getName());
    for (Object argument : all) {
      if (argument != null) {
        last.put(argument.getClass(), argument);
      }
    }
    if (method.getName().equals("watchEvents")) {
      return new FakeEvents((String) all[0], events);
    }
    try {
      synchronized (fake) {
        Object answer = method.invoke(fake, arguments);
        return answer instanceof ImageData data ? watched(data) : answer;
      }
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }

  private ImageData watched(ImageData data) {
    InputStream content =
        new FilterInputStream(data.content()) {
          private int position;

          @Override
          public int read(byte[] into, int offset, int length) throws IOException {
            before.accept("read " + position);
            int count = super.read(into, offset, length);
            position += Math.max(count, 0);
            return count;
          }

          @Override
          public void close() {
            streamsClosed.incrementAndGet();
          }
        };
    return new ImageData(
        data.etag(),
        data.size(),
        data.offset(),
        data.length(),
        data.range(),
        data.sha256(),
        content);
  }
}
