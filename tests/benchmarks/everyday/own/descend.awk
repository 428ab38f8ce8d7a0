# Gradient descent with noisy gradients in a valley that is 25 times as steep in one direction as in the other.
# Any awk will do; nothing in here knows of tunebook but the name of the file that the metrics go to.
BEGIN {
    srand(seed)
    if (one_minus_momentum == "") one_minus_momentum = 1  # not asked for: plain descent
    x = 3; y = 1
    for (step = 1; step <= steps; step++) {
        vx = (1 - one_minus_momentum) * vx - learning_rate * (x + noise())
        vy = (1 - one_minus_momentum) * vy - learning_rate * (25 * y + noise())
        x += vx; y += vy
        total += (x * x + 25 * y * y) / 2
        if (step % every == 0) {
            printf "{\"step\": %d, \"loss\": %.10g}\n", step, total / every >> ENVIRON["TUNEBOOK_METRICS"]
            fflush()
            total = 0
        }
    }
}

# About normal, with a standard deviation of one half.
function noise() { return 0.866 * (rand() + rand() + rand() + rand() - 2) }
